using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Validation;

/// <summary>Finds what is wrong with a description that could be read: pure, and complete (it does not stop at the first).</summary>
public static class ModelValidation
{
    /// <summary>All problems, the architecture's first; a recipe is looked at only when its architecture is sound.</summary>
    public static EquatableArray<Problem> Check(ModelSpec spec)
    {
        EquatableArray<Problem> architecture = CheckArchitecture(spec);
        return architecture.Count > 0 ? architecture : CheckRecipe(spec);
    }

    /// <summary>Problems of sizes and constants; their origins are in the architecture's class.</summary>
    public static EquatableArray<Problem> CheckArchitecture(ModelSpec spec) => ArchitectureValidation.Check(spec);

    /// <summary>Problems of adapters, storage and budgets; their origins are in the recipe's class.</summary>
    public static EquatableArray<Problem> CheckRecipe(ModelSpec spec) => spec.Recipe is null ? default : RecipeValidation.Check(spec, spec.Recipe);

    /// <summary>What a recipe without problems should be told: warnings, with its code written all the same.</summary>
    public static EquatableArray<Problem> CheckWarnings(ModelSpec spec) => spec.Recipe is null ? default : RecipeValidation.Warn(spec, spec.Recipe);

    /// <summary>What a recipe without problems takes, for those who asked to be shown it.</summary>
    public static IEnumerable<Problem> PlannedPeaks(ModelSpec spec) => spec.Recipe is null ? [] : BudgetValidation.Peaks(spec, spec.Recipe);

    /// <summary>Budgets that a recipe without other problems exceeds. They stop the build, not the compiler: its code is written all the same.</summary>
    public static EquatableArray<Problem> CheckBudgets(ModelSpec spec) => spec.Recipe is null ? default : BudgetValidation.Check(spec, spec.Recipe);
}
