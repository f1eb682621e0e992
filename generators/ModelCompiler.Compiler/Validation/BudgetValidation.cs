using System.Globalization;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Validation;

/// <summary>Holds a recipe's planned memory against its budgets. Needs a plan, so only a recipe without other problems is asked.</summary>
internal static class BudgetValidation
{
    /// <summary>The budgets that are exceeded.</summary>
    public static EquatableArray<Problem> Check(ModelSpec spec, RecipeSpec recipe)
    {
        if (recipe.Budgets.Count == 0)
        {
            return default;
        }

        var problems = new List<Problem>();
        ModelTables tables = ModelCompilation.Tables(spec);
        for (int i = 0; i < recipe.Budgets.Count; i++)
        {
            BudgetSpec budget = recipe.Budgets[i];
            if (ModelCompilation.Peak(tables, budget) is not { } cost)
            {
                problems.Add(new Problem(ProblemIds.BudgetArgumentUnusable, new Origin("", "MemoryBudget", nameof(budget.Plan.Batch), i), new EquatableArray<string>(
                    [nameof(budget.Plan.Batch), Text(budget.Plan.Batch), $"smaller, or Sequence smaller than {Text(budget.Plan.Sequence)}; a step of so many tokens has more bytes than can be counted"])));
                continue;
            }

            if (ByteSize.TryParse(budget.Text, out long allowed) && cost.Peak > allowed)
            {
                problems.Add(new Problem(ProblemIds.BudgetExceeded, new Origin("", "MemoryBudget", "budget", i), new EquatableArray<string>(
                [
                    spec.Type.Name,
                    ByteSize.Format(cost.Peak),
                    Text(cost.Peak - allowed),
                    budget.Text,
                    Text(budget.Plan.Batch),
                    Text(budget.Plan.Sequence),
                    Terms(cost),
                ])));
            }
        }

        return new EquatableArray<Problem>(problems);
    }

    /// <summary>The peak of every budget that holds, at its attribute; of a recipe without budgets, at its name, that of a budget with nothing but a size.</summary>
    public static IEnumerable<Problem> Peaks(ModelSpec spec, RecipeSpec recipe)
    {
        ModelTables tables = ModelCompilation.Tables(spec);
        if (recipe.Budgets.Count == 0)
        {
            BudgetSpec otherwise = BudgetSpec.Default(spec.Context);
            TrainingPlan plan = otherwise.Plan;
            if (ModelCompilation.Peak(tables, otherwise) is { } alone)
            {
                yield return Peak(new Origin(""), plan, alone, $"no budget: on {otherwise.Device} with {Text(otherwise.Threads)} threads, {plan.Checkpointing}, {plan.Optimizer}");
            }
        }

        for (int i = 0; i < recipe.Budgets.Count; i++)
        {
            BudgetSpec budget = recipe.Budgets[i];
            if (ModelCompilation.Peak(tables, budget) is { } cost && ByteSize.TryParse(budget.Text, out long allowed) && cost.Peak <= allowed)
            {
                yield return Peak(new Origin("", "MemoryBudget", "", i), budget.Plan, cost, $"budget {budget.Text}, {ByteSize.Format(allowed - cost.Peak)} to spare");
            }
        }
    }

    private static Problem Peak(Origin origin, TrainingPlan plan, MemoryCost cost, string remark) => new(ProblemIds.PlannedPeak, origin, new EquatableArray<string>(
        [ByteSize.Format(cost.Peak), Text(plan.Batch), Text(plan.Sequence), cost.Paged > 0 ? $"{remark}; {Paged(cost)}" : remark]));

    private static string Terms(MemoryCost cost) =>
        string.Join(", ", cost.Terms().Select(static term => $"{term.Name} {ByteSize.Format(term.Bytes)}")) + (cost.Paged > 0 ? "; " + Paged(cost) : "");

    private static string Paged(MemoryCost cost) => $"plus {ByteSize.Format(cost.Paged)} paged in host memory";

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
