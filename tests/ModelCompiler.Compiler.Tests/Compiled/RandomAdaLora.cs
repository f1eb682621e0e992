using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random recipes whose adapters are AdaLoRA's.</summary>
public static class RandomAdaLora
{
    /// <summary>The first recipes of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(2 * count, seed).Where(s => s.Recipe is not null).Take(count).Select(WithAdaLora)];

    /// <summary>The recipe with AdaLoRA adapters in the place of its own.</summary>
    public static ModelSpec WithAdaLora(this ModelSpec spec) => spec with
    {
        Recipe = spec.Recipe! with { Adapters = new EquatableArray<AdapterSpec>(spec.Recipe.Adapters.Select(WithAdaLora)) },
    };

    private static AdapterSpec WithAdaLora(AdapterSpec adapter) => adapter with
    {
        Method = "AdaLora",
        Arguments = new EquatableArray<ArgumentSpec>(adapter.Arguments.Where(a => a.Name != "RankStabilized")),
    };
}
