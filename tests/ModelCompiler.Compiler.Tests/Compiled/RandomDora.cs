using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random recipes whose adapters are DoRA's.</summary>
public static class RandomDora
{
    /// <summary>The first recipes of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(2 * count, seed).Where(s => s.Recipe is not null).Take(count).Select(WithDora)];

    /// <summary>The recipe with DoRA adapters in the place of its own.</summary>
    public static ModelSpec WithDora(this ModelSpec spec) => spec with
    {
        Recipe = spec.Recipe! with { Adapters = new EquatableArray<AdapterSpec>(spec.Recipe.Adapters.Select(static a => a with { Method = "Dora" })) },
    };
}
