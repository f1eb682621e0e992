using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>Products with quantized weights against their formula in double.</summary>
public sealed class QuantizedLinearTests(BFloat16KernelTests.Shared shared) : IClassFixture<BFloat16KernelTests.Shared>
{
    private const float Scale = 0.75f;

    /// <summary>
    /// Storage, rows, inputs, outputs, block, whether the factors are quantized, and elements between rows: odd numbers of inputs, whose rows begin
    /// within a byte, blocks across the ends of rows, rows that are not aligned, more inputs than lanes.
    /// </summary>
    public static TheoryData<DType, int, int, int, int, bool, int> AnyProducts => new()
    {
        { DType.NF4, 1, 1, 1, 64, false, 0 },
        { DType.NF4, 1, 1056, 2, 64, false, 8 },
        { DType.NF4, 2, 96, 7, 32, false, 8 },
        { DType.NF4, 2, 33, 5, 64, true, 0 },
        { DType.NF4, 3, 160, 9, 128, true, 3 },
        { DType.NF4, 4, 75, 4, 64, false, 5 },
        { DType.NF4, 8, 64, 11, 32, false, 0 },
        { DType.NF4, 8, 100, 3, 4096, true, 4 },
        { DType.NF4, 2, 128, 5, 64, false, 3 },
        { DType.Int8, 1, 1088, 3, 64, false, 0 },
        { DType.Int8, 2, 33, 5, 32, false, 0 },
        { DType.Int8, 4, 80, 4, 64, false, 8 },
        { DType.Int8, 7, 64, 3, 32, false, 3 },
        { DType.Int4, 1, 1056, 3, 32, false, 0 },
        { DType.Int4, 2, 128, 5, 64, false, 8 },
        { DType.Int4, 4, 96, 4, 32, false, 5 },
        { DType.Int4, 6, 64, 3, 64, false, 0 },
    };

    /// <summary>
    /// What the tensor cores take: chunks of 64 inputs, as few as a warp reads at once and numbers that are no multiple of these; panels that are not full,
    /// several for a block.
    /// </summary>
    public static TheoryData<int, int, int, int, bool, int> WholeProducts => new()
    {
        { 1, 256, 5, 64, true, 0 },
        { 1, 2112, 3, 64, true, 0 },
        { 5, 320, 21, 64, false, 8 },
        { 8, 640, 50, 128, true, 0 },
        { 2, 256, 16 * 3 * 132 + 7, 64, true, 0 },
        { 9, 576, 33, 64, true, 0 },
        { 16, 448, 47, 64, false, 8 },
        { 29, 320, 19, 128, true, 0 },
        { 64, 256, 40, 64, true, 0 },
    };

    [Theory]
    [MemberData(nameof(AnyProducts))]
    public void MultipliesInFloat32(DType kind, int rows, int inputs, int outputs, int blockSize, bool nested, int gap)
    {
        HostClang.Require();
        Multiply(shared.Gpu, DType.Float32, kind, rows, inputs, outputs, blockSize, nested, gap);
    }

    [Theory]
    [InlineData(1, 2112, 3, 64, true, 0)]
    [InlineData(5, 128, 21, 64, false, 4)]
    public void MultipliesWholeGroupsInFloat32(int rows, int inputs, int outputs, int blockSize, bool nested, int gap)
    {
        HostClang.Require();
        Multiply(shared.Gpu, DType.Float32, DType.NF4, rows, inputs, outputs, blockSize, nested, gap);
    }

    [Theory]
    [MemberData(nameof(AnyProducts))]
    public void MultipliesInBFloat16(DType kind, int rows, int inputs, int outputs, int blockSize, bool nested, int gap)
    {
        HostClang.Require();
        Multiply(shared.Gpu, DType.BFloat16, kind, rows, inputs, outputs, blockSize, nested, gap);
    }

    /// <summary>Values of the codebook are rounded to bfloat16 there, and nothing else but the result.</summary>
    [Theory]
    [MemberData(nameof(WholeProducts))]
    public void MultipliesOnTensorCores(int rows, int inputs, int outputs, int blockSize, bool nested, int gap)
    {
        HostClang.Require();
        Multiply(shared.Gpu, DType.BFloat16, DType.NF4, rows, inputs, outputs, blockSize, nested, gap, roundsCodebook: true);
    }

    /// <summary>Blocks as large as on a GPU, whose eight warps share the inputs: more chunks than they take at once, and fewer.</summary>
    [Theory]
    [InlineData(3, 2112, 20)]
    [InlineData(17, 320, 40)]
    public void MultipliesInWholeBlocks(int rows, int inputs, int outputs)
    {
        HostClang.Require();
        var gpu = new EmulatedGpu(DType.BFloat16, threads: 256);
        using CudaBackend backend = gpu.Backend;
        backend.Allocate((1 << 20) + backend.Profile.Workspace);
        backend.UseWorkspace(1 << 20, backend.Profile.Workspace);
        Multiply(gpu, DType.BFloat16, DType.NF4, rows, inputs, outputs, 64, nested: true, gap: 0, roundsCodebook: true);
    }

    private static float Rounded(float value) => HostTransfer.FromBFloat16(HostTransfer.ToBFloat16(value));

    private static void Multiply(
        EmulatedGpu gpu, DType type, DType kind, int rows, int inputs, int outputs, int blockSize, bool nested, int gap, bool roundsCodebook = false)
    {
        CudaBackend backend = gpu.Backend;
        var random = new Random(rows * 1000 + inputs);
        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => Rounded((float)(random.NextDouble() * 4 - 2)))];

        DType quantized = DTypeExtensions.Quantized(kind, blockSize, nested);
        byte[] packed = WeightQuantizer.Quantize(quantized, outputs, inputs, Values(outputs * inputs));
        var decoded = new double[outputs * inputs];
        Dequantization.Read(quantized, outputs, inputs, packed, 0, decoded);
        if (roundsCodebook)
        {
            StorageLayout layout = StorageLayout.Of(quantized, outputs, inputs);
            for (int i = 0; i < decoded.Length; i++)
            {
                int code = packed[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15;
                decoded[i] = (double)Rounded(Nf4.Codebook[code]) * Dequantization.Factor(quantized, layout, packed, i / blockSize);
            }
        }

        (float[] xs, float[] biases, float[] sums) = (Values(rows * inputs), Values(outputs), Values(rows * outputs));

        long offset = 0;
        Tensor Place(int r, int c, int spread, DType t)
        {
            var tensor = new Tensor(offset + spread % 4 * (t.IsQuantized() ? 0 : t.Size()), r, c, c + spread, t);
            offset = (tensor.End + 511) / 256 * 256;
            return tensor;
        }

        Tensor w = Place(outputs, inputs, 0, quantized);
        Tensor x = Place(rows, inputs, gap, type);
        Tensor bias = Place(1, outputs, 0, DType.Float32);
        Tensor plus = Place(rows, outputs, gap, type);
        Tensor y = Place(rows, outputs, gap, type);
        backend.Write(w.Bytes, packed);
        backend.Write(x, xs);
        backend.Write(bias, biases);
        backend.Write(plus, sums);
        foreach ((bool hasBias, bool hasPlus, bool backwards) in (ReadOnlySpan<(bool, bool, bool)>)[(false, false, false), (true, false, true), (true, true, false)])
        {
            gpu.Driver.Backwards = backwards;
            // What is added may be where the result goes.
            Tensor to = hasPlus ? plus : y;
            backend.Linear(x, w, to, hasBias ? bias : Tensor.None, hasPlus ? plus : Tensor.None, Scale);
            var actual = new float[rows * outputs];
            backend.Read(to, actual.AsSpan());
            for (int i = 0; i < actual.Length; i++)
            {
                (int t, int o) = (i / outputs, i % outputs);
                double sum = hasBias ? biases[o] : 0;
                double size = 1;
                for (int k = 0; k < inputs; k++)
                {
                    double product = xs[t * inputs + k] * decoded[o * inputs + k];
                    sum += product;
                    size += Math.Abs(product);
                }

                double expected = Scale * sum + (hasPlus ? sums[i] : 0);
                double allowed = 1e-6 * size + (type == DType.BFloat16 ? Math.Abs(expected) / 256 : 0);
                Assert.True(Math.Abs(actual[i] - expected) <= allowed, $"y[{t}, {o}] is {actual[i]:R}, expected {expected:R}");
            }
        }
    }
}
