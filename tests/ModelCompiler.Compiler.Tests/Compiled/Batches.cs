using System.Collections.Concurrent;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>
/// The compiled random descriptions all properties share: about twenty a compilation, compiled once. The default is a seeded subset;
/// MODELCOMPILER_CASES=full runs the full counts.
/// </summary>
public static class Batches
{
    private const int BatchSize = 20;
    private const int Lamda = 200;
    private const ulong Seed = 20_261_203;

    /// <summary>The number of the first batch of each kind, how many there are by default and in full, and where they come from.</summary>
    private static readonly (int First, int Default, int Full, Func<int, ulong, ModelSpec[]> Take)[] s_kinds =
    [
        (0, 4, 11, RandomDescriptions.Take),
        (100, 2, 6, RandomQaLora.Take),
        (Lamda, 1, 6, RandomLamda.Take),
        (300, 1, 6, RandomDyLora.Take),
        (400, 2, 6, RandomDora.Take),
        (500, 1, 6, RandomL1ra.Take),
        (600, 1, 6, RandomAdaLora.Take),
        (700, 1, 6, RandomLamda.TakePlusPlus),
    ];

    private static readonly ConcurrentDictionary<int, Lazy<CompiledBatch>> s_batches = new();

    /// <summary>The numbers of the batches, as theory data: the general ones, and those of an adapter method.</summary>
    public static TheoryData<int> Numbers => [.. s_kinds.SelectMany(NumbersOf)];

    /// <summary>The numbers of the batches with LaMDA adapters.</summary>
    public static IEnumerable<int> LamdaNumbers => NumbersOf(s_kinds.Single(k => k.First == Lamda));

    /// <summary>A batch, compiled at first use.</summary>
    public static CompiledBatch Get(int number) => s_batches.GetOrAdd(
        number,
        n => new Lazy<CompiledBatch>(() =>
        {
            var specs = Descriptions(n).Select(s => s with { Type = s.Type with { Name = $"B{n}{s.Type.Name}" } }).ToArray();
            return CompiledBatch.Compile(specs, $"RandomModels{n}");
        })).Value;

    /// <summary>The descriptions of a batch.</summary>
    public static ModelSpec[] Descriptions(int number) =>
        s_kinds.Last(k => k.First <= number).Take(BatchSize, Seed + (ulong)number * 1_000);

    /// <summary>All descriptions that run by default.</summary>
    public static IEnumerable<ModelSpec> Default => s_kinds.SelectMany(kind => Enumerable.Range(kind.First, kind.Default)).SelectMany(Descriptions);

    private static IEnumerable<int> NumbersOf((int First, int Default, int Full, Func<int, ulong, ModelSpec[]> Take) kind) =>
        Enumerable.Range(kind.First, Environment.GetEnvironmentVariable("MODELCOMPILER_CASES") == "full" ? kind.Full : kind.Default);
}
