using System.Diagnostics;
using ModelCompiler.Backends;
using ModelCompiler.Cuda;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.GpuBenchmarks;

/// <summary>
/// Bandwidths and rates of single kernels. Operands come in turn from sets larger than the cache; many calls are put in and waited for together,
/// so that starting them does not count.
/// </summary>
internal static class KernelFigures
{
    private const int Tokens = 8192;

    /// <summary>Bytes of the operands that take turns: several times the cache of any GPU there is.</summary>
    private const long SetBytes = 1L << 30;

    public static IEnumerable<Figure> All()
    {
        double copied = 0;
        yield return Measure("copy", "GB/s", b =>
        {
            const int width = 1 << 14;
            Tensor from = b.Take((int)(SetBytes / 2 / width), width, DType.BFloat16);
            Tensor to = b.Take(from.Rows, from.Columns, DType.BFloat16);
            return (2.0 * (from.End - from.Offset) / 1e9, 4, _ => b.Backend.Copy(from, to));
        }, value => copied = value);

        foreach ((int rows, int columns) in ((int, int)[])[(4096, 4096), (11008, 4096)])
        {
            DType type = DTypeExtensions.Quantized(DType.NF4, 64, true);
            yield return Measure($"nf4 dequantize {rows}x{columns}", "GB/s", b =>
            {
                Tensor[] weights = b.TakeQuantized(type, rows, columns);
                Tensor y = b.Take(1, rows * columns, DType.BFloat16);
                return ((weights[0].Bytes.Columns + 2.0 * weights[0].Count) / 1e9, weights.Length, i => b.Backend.Decode(weights[i], y));
            }, _ => { });
            double gemv = 0;
            yield return Measure($"nf4 gemv {rows}x{columns}", "GB/s", b =>
            {
                Tensor[] weights = b.TakeQuantized(type, rows, columns);
                (Tensor x, Tensor y) = (b.Take(1, columns, DType.BFloat16), b.Take(1, rows, DType.BFloat16));
                return (weights[0].Bytes.Columns / 1e9, weights.Length, i => b.Backend.Linear(x, weights[i], y));
            }, value => gemv = value);
            yield return new Figure($"nf4 gemv {rows}x{columns} of copy", "", gemv / copied);
        }

        foreach ((int outputs, int inputs) in ((int, int)[])[(2048, 2048), (8192, 2048), (2048, 8192), (4096, 4096), (11008, 4096)])
        {
            yield return Measure($"gemm {Tokens}x{outputs}x{inputs}", "TFLOP/s", b =>
            {
                (Tensor x, Tensor w, Tensor y) = (b.TakeRandom(Tokens, inputs), b.TakeRandom(outputs, inputs), b.Take(Tokens, outputs, DType.BFloat16));
                return (2.0 * Tokens * outputs * inputs / 1e12, 8, _ => b.Backend.Linear(x, w, y));
            }, _ => { });
        }

        foreach ((int sequence, int heads, int keyHeads, int width) in ((int, int, int, int)[])[(1024, 32, 8, 64), (4096, 32, 32, 128)])
        {
            string shape = $"{sequence} x {heads}/{keyHeads} x {width}";
            int batch = Tokens / sequence;
            double pairs = 0.5 * batch * heads * (double)sequence * sequence * 2 * width / 1e12;
            yield return Measure($"attention {shape}", "TFLOP/s", b =>
            {
                (Tensor q, Tensor k, Tensor v) = b.TakeHeads(batch, sequence, heads, keyHeads, width);
                (Tensor o, Tensor normalizers) = (b.Take(Tokens, heads * width, DType.BFloat16), b.Take(Tokens, heads, DType.Float32));
                return (2 * pairs, 4, _ => b.Backend.Attention(q, k, v, o, normalizers, new AttentionShape(heads, keyHeads, q.Columns / heads)));
            }, _ => { });
            yield return Measure($"attention gradient {shape}", "TFLOP/s", b =>
            {
                (Tensor q, Tensor k, Tensor v) = b.TakeHeads(batch, sequence, heads, keyHeads, width);
                (Tensor o, Tensor normalizers) = (b.Take(Tokens, heads * width, DType.BFloat16), b.Take(Tokens, heads, DType.Float32));
                (Tensor dO, Tensor dq, Tensor dk, Tensor dv) =
                    (b.TakeRandom(Tokens, heads * width), b.Take(q.Rows, q.Columns, q.Type), b.Take(k.Rows, k.Columns, k.Type), b.Take(v.Rows, v.Columns, v.Type));
                b.Backend.Attention(q, k, v, o, normalizers, new AttentionShape(heads, keyHeads, q.Columns / heads));
                return (5 * pairs, 4, _ => b.Backend.AttentionGradient(dO, q, k, v, o, normalizers, dq, dk, dv, new AttentionShape(heads, keyHeads, q.Columns / heads)));
            }, _ => { });
        }
    }

    /// <summary>A rate: what one call does, over its share of the time of many.</summary>
    private static Figure Measure(string name, string unit, Func<Rig, (double Amount, int Turns, Action<int> Call)> prepare, Action<double> told)
    {
        using var rig = new Rig();
        (double amount, int turns, Action<int> call) = prepare(rig);
        int calls = Math.Max(16, turns);
        var seconds = new List<double>();
        for (int round = 0; round < 13; round++)
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < calls; i++)
            {
                call(i % turns);
            }

            rig.Wait();
            seconds.Add(Stopwatch.GetElapsedTime(start).TotalSeconds / calls);
        }

        // The first rounds compile kernels and record the graph.
        double[] measured = [.. seconds.Skip(3).Order()];
        double value = amount / measured[measured.Length / 2];
        told(value);
        return new Figure(name, unit, value);
    }

    /// <summary>A backend of its own, with an arena that operands are taken from one after the other.</summary>
    private sealed class Rig : IDisposable
    {
        private const long ArenaBytes = 4L << 30;
        private const long OperandBytes = 256L << 20;

        private readonly Random random = new(1);
        private long end;

        public Rig()
        {
            Backend = CudaBackend.Open();
            long workspace = Backend.Profile.Workspace + OperandBytes;
            Backend.Allocate(ArenaBytes + workspace);
            Backend.UseWorkspace(ArenaBytes, workspace);
            Backend.BeginStep(new Step(1, Tokens));
        }

        public CudaBackend Backend { get; }

        public Tensor Take(int rows, int columns, DType type)
        {
            var tensor = new Tensor(end, rows, columns, columns, type);
            end = Backend.Profile.Align(tensor.End);
            return tensor;
        }

        /// <summary>Numbers of order 1: zeros take less power and run faster.</summary>
        public Tensor TakeRandom(int rows, int columns)
        {
            Tensor tensor = Take(rows, columns, DType.BFloat16);
            Backend.Write(tensor, Values(rows * columns));
            return tensor;
        }

        /// <summary>As many copies of a random weight as do not fit into the cache.</summary>
        public Tensor[] TakeQuantized(DType type, int rows, int columns)
        {
            byte[] packed = WeightQuantizer.Quantize(type, rows, columns, Values(rows * columns));
            var weights = new Tensor[(int)(SetBytes / packed.Length)];
            for (int i = 0; i < weights.Length; i++)
            {
                weights[i] = new Tensor(end, rows, columns, columns, type);
                end = Backend.Profile.Align(weights[i].End);
                Backend.Write(weights[i].Bytes, packed);
            }

            return weights;
        }

        public (Tensor Q, Tensor K, Tensor V) TakeHeads(int batch, int sequence, int heads, int keyHeads, int width)
        {
            Backend.BeginStep(new Step(batch, sequence));
            return (TakeRandom(batch * sequence, heads * width), TakeRandom(batch * sequence, keyHeads * width), TakeRandom(batch * sequence, keyHeads * width));
        }

        public void Wait() => Backend.Read(new Tensor(0, 1, 1, 1, DType.Float32));

        public void Dispose() => Backend.Dispose();

        private float[] Values(int count)
        {
            var values = new float[count];
            for (int i = 0; i < count; i++)
            {
                values[i] = (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5);
            }

            return values;
        }
    }
}
