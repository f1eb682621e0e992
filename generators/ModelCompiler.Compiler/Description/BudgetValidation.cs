using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Description;

/// <summary>Holds a recipe's planned memory against its budgets. Needs a plan, so only a recipe without other problems is asked.</summary>
internal static class BudgetValidation
{
    public static EquatableArray<Problem> Check(ModelSpec spec, RecipeSpec recipe)
    {
        var problems = new List<Problem>();
        for (int i = 0; i < recipe.Budgets.Count; i++)
        {
            BudgetSpec budget = recipe.Budgets[i];
            MemoryCost cost = ModelCompilation.Peak(spec, budget);
            if (ByteSize.TryParse(budget.Text, out long allowed) && cost.Peak > allowed)
            {
                problems.Add(new Problem(ProblemIds.BudgetExceeded, new Origin("", "MemoryBudget", "budget", i), new EquatableArray<string>(
                [
                    spec.Type.Name,
                    ByteSize.Format(cost.Peak),
                    (cost.Peak - allowed).ToString(CultureInfo.InvariantCulture),
                    budget.Text,
                    budget.Batch.ToString(CultureInfo.InvariantCulture),
                    (budget.Sequence == 0 ? spec.Context : budget.Sequence).ToString(CultureInfo.InvariantCulture),
                    Terms(cost),
                ])));
            }
        }

        return new EquatableArray<Problem>(problems);
    }

    private static string Terms(MemoryCost cost) => string.Join(", ", new[]
    {
        ("frozen weights", cost.FrozenWeights),
        ("adapters", cost.Adapters),
        ("gradients", cost.Gradients),
        ("optimizer", cost.Optimizer),
        ("activations", cost.Activations),
        ("workspace", cost.Workspace),
        ("inputs", cost.Inputs),
        ("overhead", cost.Overhead),
    }.Select(static term => $"{term.Item1} {ByteSize.Format(term.Item2)}"));
}
