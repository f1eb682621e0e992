extern alias compiler;

using System.Collections.Concurrent;
using compiler::ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>
/// The compiled random descriptions all properties share: about twenty a compilation, compiled once. The default is a seeded subset;
/// MODELCOMPILER_CASES=full runs the full counts.
/// </summary>
public static class Batches
{
    private const int BatchSize = 20;
    private const int QaLora = 100;
    private const int Lamda = 200;
    private const int DyLora = 300;
    private const int Dora = 400;
    private const int LamdaPlusPlus = 700;
    private static readonly ConcurrentDictionary<int, Lazy<CompiledBatch>> s_batches = new();

    /// <summary>Whether the full counts were asked for.</summary>
    public static bool Full => Environment.GetEnvironmentVariable("MODELCOMPILER_CASES") == "full";

    /// <summary>Number of batches to run: 11 (220 descriptions) in full, 3 by default.</summary>
    public static int Count => Full ? 11 : 3;

    /// <summary>The numbers of the batches, as theory data: the general ones, and those of an adapter method.</summary>
    public static TheoryData<int> Numbers => new([.. Enumerable.Range(0, Count), .. Enumerable.Range(QaLora, Full ? 6 : 2), .. LamdaNumbers, .. Enumerable.Range(DyLora, Full ? 6 : 1), .. Enumerable.Range(Dora, Full ? 6 : 1), .. Enumerable.Range(LamdaPlusPlus, Full ? 6 : 1)]);

    /// <summary>The numbers of the batches with LaMDA adapters.</summary>
    public static IEnumerable<int> LamdaNumbers => Enumerable.Range(Lamda, Full ? 6 : 1);

    /// <summary>A batch, compiled at first use.</summary>
    public static CompiledBatch Get(int number) => s_batches.GetOrAdd(
        number,
        n => new Lazy<CompiledBatch>(() =>
        {
            ulong seed = 20_261_121 + (ulong)n * 1_000;
            ModelSpec[] drawn = n switch
            {
                >= LamdaPlusPlus => RandomLamda.TakePlusPlus(BatchSize, seed),
                >= Dora => RandomDora.Take(BatchSize, seed),
                >= DyLora => RandomDyLora.Take(BatchSize, seed),
                >= Lamda => RandomLamda.Take(BatchSize, seed),
                >= QaLora => RandomQaLora.Take(BatchSize, seed),
                _ => RandomDescriptions.Take(BatchSize, seed),
            };
            var specs = drawn.Select(s => s with { Type = s.Type with { Name = $"B{n}{s.Type.Name}" } }).ToArray();
            return CompiledBatch.Compile(specs, $"RandomModels{n}");
        })).Value;
}
