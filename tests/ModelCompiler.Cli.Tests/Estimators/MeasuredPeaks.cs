using ModelCompiler.CommandLine.Estimators;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Cli.Tests.Estimators;

/// <summary>
/// The figure img/vram.svg of raul-singh/memory-gelato: peaks in MiB of four models in 4 bits, LoRA of rank 16 on every projection, sequences of 512
/// tokens, batches of 1, 2, 4, 8 and 16. Measured ones from the paths of the figure, whose dashed paths give the scale to 0.0001 MiB; in units of 512
/// bytes all are whole, so they are <c>torch.cuda.max_memory_allocated</c>. Estimated ones: what the dashed paths show, and what the published code gives.
/// </summary>
internal sealed record MeasuredPeaks(ModelTables Tables, double[] Measured, int[] Figure, int[] Published)
{
    public const int Sequence = 512;
    public const int Rank = 16;

    public static MeasuredPeaks[] All { get; } =
    [
        new(Mistral_7B.Tables, [6212.2759, 6751.6021, 7961.3755, 10582.4223, 16000.5161], [5735, 6398, 7722, 10371, 15669], [5923, 6455, 7739, 10307, 15443]),
        new(Llama2_7B.Tables, [5495.2446, 5966.7544, 7143.7739, 9513.8130, 14712.7817], [5394, 5952, 7169, 9603, 14471], [5612, 6072, 7264, 9703, 14581]),
        new(Llama3_8B.Tables, [10906.4009, 11943.2856, 14992.4341, 21116.6021], [10733, 12129, 15423, 22011], [10959, 11982, 15031, 21129]),
        new(Phi3_Mini.Tables, [3489.1372, 3947.5273, 4990.9487, 7084.0200, 11270.1626], [3510, 3994, 4985, 7036, 11137], [3653, 4108, 5142, 7210, 11348]),
    ];

    public LlamaShape Shape => LlamaShape.From(Tables);

    public static double MiB(long bytes) => bytes / (double)(1 << 20);

    public static int Batch(int point) => 1 << point;
}
