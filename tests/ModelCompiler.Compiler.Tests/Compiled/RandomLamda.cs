using ModelCompiler;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random recipes whose adapters are LaMDA's, of all three starts.</summary>
public static class RandomLamda
{
    /// <summary>The first recipes of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(2 * count, seed).Where(s => s.Recipe is not null).Take(count).Select((s, i) => s.WithLamda((LamdaInitialization)(i % 3)))];

    /// <summary>The same of LaMDA++.</summary>
    public static ModelSpec[] TakePlusPlus(int count, ulong seed) =>
        [.. Take(count, seed).Select(s => s with { Recipe = s.Recipe! with { Adapters = new EquatableArray<AdapterSpec>(s.Recipe.Adapters.Select(static a => a with { Method = "LamdaPlusPlus" })) } })];

    /// <summary>The recipe with LaMDA adapters in the place of its own.</summary>
    public static ModelSpec WithLamda(this ModelSpec spec, LamdaInitialization start = LamdaInitialization.Spectral) => spec with
    {
        Recipe = spec.Recipe! with { Adapters = new EquatableArray<AdapterSpec>(spec.Recipe.Adapters.Select(a => WithLamda(a, start))) },
    };

    private static AdapterSpec WithLamda(AdapterSpec adapter, LamdaInitialization start) => adapter with
    {
        Method = "Lamda",
        Arguments = new EquatableArray<ArgumentSpec>(adapter.Arguments.Where(a => a.Name != "RankStabilized").Append(new ArgumentSpec("Initialization", (int)start))),
    };
}
