using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Models;
using ModelCompiler.Tests.Training;

namespace ModelCompiler.Tests.Checkpoints;

/// <summary>Neither managed nor native memory ever holds the fp32 model, or more of a weight than a block of rows.</summary>
[Collection(nameof(ManagedMemory))]
public class QuantizedLoadingMemoryTests
{
    [Fact]
    public void Loading_a_model_takes_nothing_beside_its_arena()
    {
        using var folder = new TemporaryFolder();
        using DocsWriter full = QuantizedWeightsTests.Base<DocsWriter>(folder.Path);
        using var model = QuantizedWeightsTests.Loaded<DocsWriterNf4>(folder.Path);
        BaseWeights.SaveQuantized(model, folder.File("nf4"));
        long single = sizeof(float) * full.Parameters.Sum(p => p.Value.Count);
        foreach (string path in new[] { folder.Path, folder.File("nf4") })
        {
            using var native = new NativeMemoryScope();
            long managed = Allocations.Least(() => BaseWeights.Load(model, path));
            Assert.Equal(0, native.PeakBytes);
            Assert.InRange(managed, 0, single / 10);
        }
    }

    [Fact]
    public void A_weight_is_quantized_a_block_of_rows_at_a_time()
    {
        using var kernels = new CpuBackend(1);
        var weight = new Tensor(0, 4096, 1024, 1024, DTypeExtensions.Quantized(DType.NF4, 64, true));
        kernels.Allocate(weight.End);
        int longest = 0;
        long managed = Allocations.Least(() => RowBlocks.Load(kernels, weight, (_, _, values) =>
        {
            longest = Math.Max(longest, values.Length);
            values.Fill(0.5f);
        }));
        Assert.InRange(longest, 1, 1 << 16);
        Assert.InRange(managed, 0, sizeof(float) * weight.Count / 32);
    }
}
