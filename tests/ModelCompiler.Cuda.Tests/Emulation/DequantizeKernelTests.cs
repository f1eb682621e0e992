using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>Decoded weights against the host's decoders.</summary>
public sealed class DequantizeKernelTests(BFloat16KernelTests.Shared shared) : IClassFixture<BFloat16KernelTests.Shared>
{
    /// <summary>Blocks across the ends of rows, short last blocks, odd counts, more than 256 blocks that share a nested factor, several blocks of threads.</summary>
    public static TheoryData<DType, int, int, int, bool> Weights => new()
    {
        { DType.NF4, 1, 1, 64, false },
        { DType.NF4, 3, 7, 32, false },
        { DType.NF4, 5, 13, 64, true },
        { DType.NF4, 64, 48, 64, true },
        { DType.NF4, 131, 257, 64, true },
        { DType.NF4, 33, 512, 32, false },
        { DType.NF4, 3, 5000, 4096, true },
        { DType.Int8, 1, 1, 64, false },
        { DType.Int8, 3, 7, 32, false },
        { DType.Int8, 61, 67, 32, false },
        { DType.Int8, 64, 48, 64, false },
        { DType.Int8, 7, 1031, 256, false },
        { DType.Int4, 1, 32, 32, false },
        { DType.Int4, 3, 96, 32, false },
        { DType.Int4, 61, 67, 64, false },
        { DType.Int4, 7, 1031, 256, false },
    };

    /// <summary>Bit for bit what the host decodes, in bfloat16 rounded once; nothing beside it is written.</summary>
    [Theory]
    [MemberData(nameof(Weights))]
    public void DecodesWhatTheHostDoes(DType kind, int rows, int columns, int blockSize, bool nested)
    {
        HostClang.Require();
        DType type = DTypeExtensions.Quantized(kind, blockSize, nested);
        var random = new Random(7);
        float[] original = [.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.4) * 3)];
        byte[] packed = WeightQuantizer.Quantize(type, rows, columns, original);
        var expected = new float[original.Length];
        Dequantization.Read(type, rows, columns, packed, 0, expected);

        var weight = new Tensor(0, rows, columns, columns, type);
        var y = new Tensor((packed.Length + 255) / 256 * 256, 1, expected.Length, expected.Length, DType.Float32);
        CudaBackend backend = shared.Backend;
        backend.Write(weight.Bytes, packed);
        Assert.Equal(expected, Decoded(weight, y));
        Assert.Equal(expected.Select(value => HostTransfer.FromBFloat16(HostTransfer.ToBFloat16(value))), Decoded(weight, y with { Type = DType.BFloat16 }));
    }

    private float[] Decoded(Tensor weight, Tensor y)
    {
        CudaBackend backend = shared.Backend;
        var after = new Tensor(y.End, 1, 64, 64, DType.UInt8);
        float[] untouched = [.. Enumerable.Repeat<float>(0xA5, after.Columns)];
        backend.Write(after, untouched);
        backend.Decode(weight, y);
        var decoded = new float[y.Columns];
        backend.Read(y, decoded.AsSpan());
        var found = new float[after.Columns];
        backend.Read(after, found.AsSpan());
        Assert.Equal(untouched, found);
        return decoded;
    }
}
