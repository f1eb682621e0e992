using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Benchmarks;

/// <summary>Causal attention, forward and backward, against the multiply-add peak; operations above the diagonal are not counted.</summary>
internal static class AttentionBenchmark
{
    private const int Rounds = 25;

    public static void Run()
    {
        var peaks = new List<double>();
        foreach (int threads in new[] { 1, 2 })
        {
            using var rig = new KernelRig(threads);
            foreach ((int batch, int sequence, int heads, int keyValueHeads, int width) in new[]
                { (4, 256, 8, 8, 64), (4, 256, 8, 2, 64), (1, 1024, 8, 8, 64), (1, 1024, 8, 8, 128), (1, 4096, 2, 2, 64), (8, 256, 8, 4, 8), (4, 256, 6, 6, 48) })
            {
                int rows = batch * sequence;
                Tensor q = rig.Tensor(rows, heads * width), o = rig.Tensor(rows, heads * width), dO = rig.Tensor(rows, heads * width), dq = rig.Tensor(rows, heads * width);
                Tensor k = rig.Tensor(rows, keyValueHeads * width), v = rig.Tensor(rows, keyValueHeads * width);
                Tensor dk = rig.Tensor(rows, keyValueHeads * width), dv = rig.Tensor(rows, keyValueHeads * width), logSumExp = rig.Tensor(rows, heads);
                rig.Backend.BeginStep(new Step(batch, sequence));
                double flops = 2.0 * batch * heads * width * sequence * (sequence + 1);
                List<double> forward = [], backward = [];
                for (int round = 0; round < Rounds; round++)
                {
                    peaks.Add(FmaPeak.Measure());
                    forward.Add(Bench.Seconds(() => rig.Backend.Attention(q, k, v, o, logSumExp, new AttentionShape(heads, keyValueHeads, q.Columns / heads))));
                    backward.Add(Bench.Seconds(() => rig.Backend.AttentionGradient(dO, q, k, v, o, logSumExp, dq, dk, dv, new AttentionShape(heads, keyValueHeads, q.Columns / heads))));
                }

                Console.WriteLine(
                    $"{threads} thread(s)  batch {batch}, sequence {sequence}, heads {heads}/{keyValueHeads} of {width}: "
                    + $"forward {Report(flops, forward)}, backward {Report(2.5 * flops, backward)}");
                rig.Clear();
            }
        }

        Console.WriteLine($"FMA peak of one thread, GFLOP/s best (median): {peaks.Max():F0} ({Bench.Median(peaks):F0})");
    }

    private static string Report(double flops, List<double> seconds) =>
        $"{1e3 * seconds.Min():F2} ({1e3 * Bench.Median(seconds):F2}) ms = {flops / seconds.Min() / 1e9:F0} ({flops / Bench.Median(seconds) / 1e9:F0}) GFLOP/s";
}
