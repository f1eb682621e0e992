using System.Runtime.InteropServices;
using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Cpu;

/// <summary>
/// Kernels over quantized weights against the double-precision backend over the same weights decoded by the plain formulas of this
/// file. Codes and factors are random bytes and floats: every code occurs, blocks straddle rows, the last block is short.
/// </summary>
public sealed class QuantizedLinearTests : IDisposable
{
    private const double Tolerance = 4e-6;

    /// <summary>
    /// Of products in 16-bit fixed point. Relative to its root mean square, x in [-1, 1] is rounded by 1 / 34,230 / √3 / 0.58 = 3e-5 and an NF4
    /// value by 7e-6 / 0.5 = 1.4e-5, and so is a sum of their products by 3.3e-5: six times that.
    /// </summary>
    private const double FixedPointTolerance = 2e-4;
    private readonly CpuBackend cpu = new(2);
    private readonly ReferenceBackend reference = new();
    private readonly Random random = new(5);
    private long used;

    public QuantizedLinearTests()
    {
        foreach (IBackend backend in (IBackend[])[cpu, reference])
        {
            backend.Allocate((32 << 20) + backend.Profile.Workspace);
            backend.UseWorkspace(32 << 20, backend.Profile.Workspace);
        }
    }

    public static TheoryData<DType, int, bool> Types => new()
    {
        { DType.NF4, 32, false },
        { DType.NF4, 64, false },
        { DType.NF4, 64, true },
        { DType.NF4, 256, true },
        { DType.NF4, 4096, false },
        { DType.Int8, 64, false },
        { DType.Int4, 32, false },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public void ProductsAreThoseOfTheDecodedWeights(DType kind, int block, bool nested)
    {
        // Inputs, outputs, tokens: whole and ragged tiles and blocks, generated tokens, more than one thread.
        foreach ((int inputs, int outputs, int tokens) in new[]
            { (64, 32, 40), (128, 96, 1), (192, 70, 2), (128, 33, 1), (1024, 64, 1), (96, 45, 7), (576, 130, 25), (45, 19, 13), (33, 1, 3), (7, 5, 1), (320, 200, 128), (512, 83, 5), (4096, 18, 3), (4096, 7, 1), (4160, 70, 2) })
        {
            if (kind != DType.Int4 || inputs % block == 0)
            {
                Compare(DTypeExtensions.Quantized(kind, block, nested), inputs, outputs, tokens);
            }
        }
    }

    [Fact]
    public void ALowRankTermJoinsAQuantizedProduct()
    {
        DType type = DTypeExtensions.Quantized(DType.NF4, 64, true);
        foreach (int tokens in new[] { 1, 30 })
        {
            used = 0;
            (Tensor w, Tensor decoded) = Weight(type, 72, 128);
            (Tensor x, Tensor x64) = Values(tokens, 128);
            (Tensor h, Tensor h64) = Values(tokens, 5);
            (Tensor b, Tensor b64) = Values(72, 5);
            (Tensor a, Tensor a64) = Values(5, 128);
            (Tensor y, Tensor y64) = Values(tokens, 72);
            cpu.LowRankLinear(x, w, h, b, y, 0.5f);
            reference.LowRankLinear(x64, decoded, h64, b64, y64, 0.5f);
            double tolerance = tokens == 1 ? FixedPointTolerance : Tolerance;
            RequireEqual(y, y64, $"LowRankLinear, {tokens} tokens", tolerance);
            cpu.LowRankLinearGradientInput(y, w, h, a, x);
            reference.LowRankLinearGradientInput(y64, decoded, h64, a64, x64);
            RequireEqual(x, x64, $"LowRankLinearGradientInput, {tokens} tokens", tolerance);
        }
    }

    public void Dispose()
    {
        cpu.Dispose();
        reference.Dispose();
    }

    private void Compare(DType type, int inputs, int outputs, int tokens)
    {
        used = 0;
        string shape = $"{type.Kind()}, block {type.BlockSize()}, nested {type.IsNested()}, {inputs} to {outputs}, {tokens} tokens";
        (Tensor w, Tensor decoded) = Weight(type, outputs, inputs);
        (Tensor x, Tensor x64) = Values(tokens, inputs);
        (Tensor y, Tensor y64) = Values(tokens, outputs);
        (Tensor bias, Tensor bias64) = Values(1, outputs);
        cpu.Linear(x, w, y, bias, y, 0.25f);
        reference.Linear(x64, decoded, y64, bias64, y64, 0.25f);
        bool fixedPoint = type.Kind() == DType.NF4 && tokens <= 8 && inputs % 64 == 0;
        RequireEqual(y, y64, "Linear " + shape, fixedPoint ? FixedPointTolerance : Tolerance);
        cpu.LinearGradientInput(y, w, x, x, 0.5f);
        reference.LinearGradientInput(y64, decoded, x64, x64, 0.5f);
        RequireEqual(x, x64, "LinearGradientInput " + shape, fixedPoint ? FixedPointTolerance : Tolerance);
    }

    private (Tensor Quantized, Tensor Decoded) Weight(DType type, int rows, int columns)
    {
        StorageLayout layout = StorageLayout.Of(type, rows, columns);
        var bytes = new byte[layout.Bytes];
        random.NextBytes(bytes.AsSpan(0, (int)layout.CodeBytes));
        Span<float> Floats(long offset, long count) => MemoryMarshal.Cast<byte, float>(bytes.AsSpan((int)offset, 4 * (int)count));
        if (type.IsNested())
        {
            random.NextBytes(bytes.AsSpan((int)layout.Factors, (int)layout.Blocks));
            Fill(Floats(layout.Nested, layout.NestedBlocks), 0.1f, 0.5f);
            Fill(Floats(layout.Mean, 1), 0.5f, 1);
        }
        else
        {
            Fill(Floats(layout.Factors, layout.Blocks), 0.1f, 1);
        }

        if (layout.Zeros >= 0)
        {
            Fill(Floats(layout.Zeros, layout.Blocks), -1, 16);
        }

        var values = new double[rows * columns];
        for (int i = 0; i < values.Length; i++)
        {
            int block = i / type.BlockSize();
            float factor = type.IsNested()
                ? DynamicMap.Signed.Values[bytes[layout.Factors + block]] * Floats(layout.Nested, layout.NestedBlocks)[block / 256] + Floats(layout.Mean, 1)[0]
                : Floats(layout.Factors, layout.Blocks)[block];
            int nibble = type.Kind() == DType.Int8 ? 0 : i % 2 == 0 ? bytes[i / 2] / 16 : bytes[i / 2] % 16;
            values[i] = type.Kind() switch
            {
                DType.NF4 => Nf4.Codebook[nibble] * factor,
                DType.Int8 => (sbyte)bytes[i] * (double)factor / 127,
                _ => (nibble - (double)Floats(layout.Zeros, layout.Blocks)[block]) * factor,
            };
        }

        var quantized = new Tensor(Take(layout.Bytes), rows, columns, columns, type);
        var decoded = new Tensor(Take(8L * values.Length), rows, columns, columns, DType.Float64);
        cpu.Write(quantized.Bytes, bytes);
        reference.Write(decoded, values);
        return (quantized, decoded);
    }

    private (Tensor Single, Tensor Double) Values(int rows, int columns)
    {
        var values = new float[rows * columns];
        Fill(values, -1, 1);
        var single = new Tensor(Take(4L * values.Length), rows, columns, columns, DType.Float32);
        var wide = new Tensor(Take(8L * values.Length), rows, columns, columns, DType.Float64);
        cpu.Write(single, values);
        reference.Write(wide, values);
        return (single, wide);
    }

    private long Take(long bytes)
    {
        long offset = used;
        used += (bytes + 63) / 64 * 64;
        return offset;
    }

    private void Fill(Span<float> values, float low, float high)
    {
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = low + (high - low) * random.NextSingle();
        }
    }

    private void RequireEqual(Tensor single, Tensor wide, string what, double tolerance)
    {
        var actual = new double[single.Count];
        var expected = new double[wide.Count];
        cpu.Read(single, actual);
        reference.Read(wide, expected);
        double magnitude = Math.Sqrt(expected.Sum(v => v * v) / expected.Length);
        for (int i = 0; i < actual.Length; i++)
        {
            Assert.True(Math.Abs(actual[i] - expected[i]) <= tolerance * (Math.Abs(expected[i]) + magnitude), $"{what}: element {i} is {actual[i]}, not {expected[i]}");
        }
    }
}
