using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Benchmarks;

/// <summary>
/// NF4 weights, block 64: a generated token against the read bandwidth of the same process, call by call in turn with reads of as much, with more
/// copies of the weight than caches hold (on a shared machine such short times are seldom interrupted); and products of more rows against our own Float32 products, forward and input gradient from the one stored copy.
/// </summary>
internal static unsafe class Nf4Benchmark
{
    private const int Width = 4096;
    private const int Copies = 16;
    private const int Rounds = 15;
    private const long RigBytes = 640L << 20;
    private const int ReadParts = 16;
    private const int PartBytes = 9 << 20;
    private static readonly byte[] Memory = GC.AllocateArray<byte>(ReadParts * PartBytes, pinned: true);
    private static float sink;

    public static void Run()
    {
        foreach (int threads in new[] { 1, 2 })
        {
            Gemv(threads);
        }

        foreach (int threads in new[] { 1, 2 })
        {
            Gemm(threads);
        }
    }

    private static void Gemv(int threads)
    {
        using var rig = new KernelRig(threads, RigBytes);
        Array.Fill(Memory, (byte)1);
        foreach (bool nested in new[] { false, true })
        {
            rig.Clear();
            Tensor[] weights = [.. Enumerable.Range(0, Copies).Select(_ => Quantized(rig, Width, Width, nested))];
            Tensor x = rig.Tensor(1, Width), y = rig.Tensor(1, Width);
            double bytes = weights[0].End - weights[0].Offset;

            // The runtime compiles hot methods for good some tenths of a second after their first calls.
            long start = Stopwatch.GetTimestamp();
            for (int call = 0; Stopwatch.GetElapsedTime(start).TotalSeconds < 0.5; call++)
            {
                rig.Backend.Linear(x, weights[call % Copies], y);
            }

            var read = new List<double>();
            var gemv = new List<double>();
            for (int call = 0; call < Rounds * Copies; call++)
            {
                read.Add(PartBytes / Bench.Seconds(() => Read(rig.Backend.Team, call % ReadParts), window: 0) / 1e9);
                gemv.Add(bytes / Bench.Seconds(() => rig.Backend.Linear(x, weights[call % Copies], y), window: 0) / 1e9);
            }

            double best = gemv.Max(), median = Bench.Median(gemv);
            Console.WriteLine(
                $"{threads} thread(s)  GEMV {Width} x {Width}, {(nested ? "double quantized" : "plain absmax"),-16}: {bytes / best / 1e6:F2} ({bytes / median / 1e6:F2}) ms, {best:F1} ({median:F1}) GB/s, "
                + $"read {read.Max():F1} ({Bench.Median(read):F1}) GB/s: {100 * best / read.Max():F0} % by bests, {100 * median / Bench.Median(read):F0} % by medians, {100 * Bench.Median(gemv.Zip(read, (g, r) => g / r)):F0} % median of the pairs");
        }
    }

    private static void Gemm(int threads)
    {
        const int outputs = 2048, inputs = 2048;
        using var rig = new KernelRig(threads);
        Tensor plain = rig.Tensor(outputs, inputs), nf4 = Quantized(rig, outputs, inputs, nested: true);
        foreach (int rows in new[] { 32, 128, 1024 })
        {
            Tensor x = rig.Tensor(rows, inputs), y = rig.Tensor(rows, outputs);
            List<double> forward = [], forwardPlain = [], backward = [], backwardPlain = [];
            for (int round = 0; round < Rounds; round++)
            {
                forwardPlain.Add(Bench.Seconds(() => rig.Backend.Linear(x, plain, y)));
                forward.Add(Bench.Seconds(() => rig.Backend.Linear(x, nf4, y)));
                backwardPlain.Add(Bench.Seconds(() => rig.Backend.LinearGradientInput(y, plain, x, scale: 1e-3f)));
                backward.Add(Bench.Seconds(() => rig.Backend.LinearGradientInput(y, nf4, x, scale: 1e-3f)));
            }

            double gflop = 2e-9 * rows * outputs * inputs;
            Console.WriteLine(
                $"{threads} thread(s)  M {rows,4}: y = x wT {gflop / forward.Min():F0} ({gflop / Bench.Median(forward):F0}) GFLOP/s, {Ratio(forwardPlain, forward)} of fp32; "
                + $"dx = dy w {gflop / backward.Min():F0} ({gflop / Bench.Median(backward):F0}) GFLOP/s, {Ratio(backwardPlain, backward)} of fp32");
        }
    }

    private static string Ratio(List<double> plain, List<double> quantized) =>
        $"{100 * plain.Min() / quantized.Min():F0} % ({100 * Bench.Median(plain) / Bench.Median(quantized):F0} %)";

    /// <summary>Random codes; factors of order one.</summary>
    private static Tensor Quantized(KernelRig rig, int rows, int columns, bool nested)
    {
        DType type = DTypeExtensions.Quantized(DType.NF4, 64, nested);
        StorageLayout layout = StorageLayout.Of(type, rows, columns);
        var random = new Random(3);
        var bytes = new byte[layout.Bytes];
        random.NextBytes(bytes);
        foreach ((long offset, long count) in nested ? [(layout.Nested, layout.NestedBlocks), (layout.Mean, 1)] : new[] { (layout.Factors, layout.Blocks) })
        {
            for (long i = 0; i < count; i++)
            {
                BitConverter.TryWriteBytes(bytes.AsSpan((int)(offset + 4 * i)), 0.5f + random.NextSingle());
            }
        }

        Tensor place = rig.Bytes(layout.Bytes);
        var weight = new Tensor(place.Offset, rows, columns, columns, type);
        rig.Backend.Write(weight.Bytes, bytes);
        return weight;
    }

    /// <summary>Reads a part of the memory, each thread its share.</summary>
    private static void Read(ThreadTeam team, int part)
    {
        var share = new Share { Start = (byte*)Unsafe.AsPointer(ref Memory[part * PartBytes]), Bytes = PartBytes / team.Threads };
        team.Run(team.Threads, &ReadShare, &share);
    }

    private static void ReadShare(void* context, int block, int thread)
    {
        var share = (Share*)context;
        sink += Sum((float*)(share->Start + block * share->Bytes), share->Bytes / sizeof(float));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Sum(float* x, int count)
    {
        Vector256<float> s0 = default, s1 = default, s2 = default, s3 = default;
        for (int i = 0; i < count; i += 32)
        {
            s0 += Vector256.Load(x + i);
            s1 += Vector256.Load(x + i + 8);
            s2 += Vector256.Load(x + i + 16);
            s3 += Vector256.Load(x + i + 24);
        }

        return Vector256.Sum(s0 + s1 + (s2 + s3));
    }

    private struct Share
    {
        public byte* Start;
        public int Bytes;
    }
}
