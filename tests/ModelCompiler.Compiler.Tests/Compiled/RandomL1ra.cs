using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random recipes whose adapters are L1RA's, in both modes.</summary>
public static class RandomL1ra
{
    /// <summary>The first recipes of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(2 * count, seed).Where(s => s.Recipe is not null).Take(count).Select((s, i) => s with
        {
            Recipe = s.Recipe! with { Adapters = new EquatableArray<AdapterSpec>(s.Recipe.Adapters.Select(a => WithL1ra(a, mode: i % 2))) },
        })];

    private static AdapterSpec WithL1ra(AdapterSpec adapter, int mode) => adapter with
    {
        Method = "L1ra",
        Arguments = new EquatableArray<ArgumentSpec>(adapter.Arguments.Where(a => a.Name != "RankStabilized").Append(new ArgumentSpec("Mode", mode))),
    };
}
