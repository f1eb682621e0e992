using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Quantization;

/// <summary>A quantized weight on a backend: written and read as a whole, and multiplied as what it decodes to.</summary>
public class QuantizedTensorTests
{
    private const int Rows = 13;
    private const int Columns = 32;

    public static TheoryData<DType, bool> Types => new() { { DType.NF4, false }, { DType.NF4, true }, { DType.Int8, false }, { DType.Int4, false } };

    [Theory]
    [MemberData(nameof(Types))]
    public void Written_values_are_quantized_and_read_values_decoded(DType kind, bool nested)
    {
        DType type = DTypeExtensions.Quantized(kind, 32, nested);
        float[] values = Values(Rows * Columns);
        byte[] packed = WeightQuantizer.Quantize(type, Rows, Columns, values);
        var decoded = new float[values.Length];
        Dequantization.Read(type, Rows, Columns, packed, 0, decoded);
        foreach (IBackend backend in (IBackend[])[new ReferenceBackend(), new CpuBackend(1)])
        {
            using (backend)
            {
                backend.Allocate(1 << 16);
                var w = new Tensor(128, Rows, Columns, Columns, type);
                backend.Write(w, [.. values.Select(v => (double)v)]);
                var bytes = new byte[packed.Length];
                backend.Read(w.Bytes, bytes.AsSpan());
                Assert.Equal(packed, bytes);
                backend.Write(w.Bytes, new byte[packed.Length]);
                backend.Write(w, values);
                var read = new float[values.Length];
                backend.Read(w, read.AsSpan());
                Assert.Equal(decoded, read);
            }
        }
    }

    /// <summary>On Reference, bit for bit.</summary>
    [Theory]
    [MemberData(nameof(Types))]
    public void Linear_operations_take_it_as_what_it_decodes_to(DType kind, bool nested)
    {
        using var backend = new ReferenceBackend();
        backend.Allocate(1 << 17);
        long used = 0;
        Tensor Place(int rows, int columns, DType type, bool filled = true)
        {
            var tensor = new Tensor(used, rows, columns, columns, type);
            used = (tensor.End + 63) / 64 * 64;
            if (filled)
            {
                backend.Write(tensor, Values(rows * columns));
            }

            return tensor;
        }

        Tensor quantized = Place(Rows, Columns, DTypeExtensions.Quantized(kind, 32, nested));
        Tensor decoded = Place(Rows, Columns, DType.Float64, filled: false);
        backend.Write(decoded, Read(backend, quantized));
        Tensor x = Place(5, Columns, DType.Float64);
        Tensor dy = Place(5, Rows, DType.Float64);
        Tensor h = Place(5, 2, DType.Float64);
        Tensor b = Place(Rows, 2, DType.Float64);
        Tensor a = Place(2, Columns, DType.Float64);
        foreach (Func<Tensor, Tensor> run in (Func<Tensor, Tensor>[])
        [
            w => Run(Place(5, Rows, DType.Float64), y => backend.Linear(x, w, y, scale: 0.5f)),
            w => Run(Place(5, Columns, DType.Float64), dx => backend.LinearGradientInput(dy, w, dx)),
            w => Run(Place(5, Rows, DType.Float64), y => backend.LowRankLinear(x, w, h, b, y, 2)),
            w => Run(Place(5, Columns, DType.Float64), dx => backend.LowRankLinearGradientInput(dy, w, h, a, dx)),
        ])
        {
            Assert.Equal(Read(backend, run(decoded)), Read(backend, run(quantized)));
        }

        static Tensor Run(Tensor output, Action<Tensor> operation)
        {
            operation(output);
            return output;
        }
    }

    private static double[] Read(IBackend backend, Tensor tensor)
    {
        var values = new double[tensor.Count];
        backend.Read(tensor, values.AsSpan());
        return values;
    }

    private static float[] Values(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }
}
