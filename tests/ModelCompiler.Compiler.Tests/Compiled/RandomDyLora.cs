using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions whose LoRA adapters have nested ranks; those that train everything are left out.</summary>
public static class RandomDyLora
{
    /// <summary>The first such descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(2 * count, seed).Where(spec => spec.Recipe is not null).Take(count).Select(spec => spec with { Recipe = Nested(spec.Recipe!) })];

    private static RecipeSpec Nested(RecipeSpec recipe) => recipe with
    {
        Adapters = new EquatableArray<AdapterSpec>([.. recipe.Adapters.Select(a => a with { Method = "DyLora" })]),
    };
}
