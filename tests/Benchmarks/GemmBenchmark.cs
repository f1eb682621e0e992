using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Benchmarks;

/// <summary>
/// GEMM against the multiply-add peak of the same process, packing of the weights inside the timing. Rounds interleave peak and products;
/// one figure is the best and the median over the rounds.
/// </summary>
internal static class GemmBenchmark
{
    private const int Rounds = 25;

    public static void Run()
    {
        using var one = new KernelRig(1);
        using var two = new KernelRig(2);
        List<Case> cases = [.. Cases(one, 1), .. Cases(two, 2)];
        var peaks = new List<double>();
        var pairs = new List<double>();
        for (int round = 0; round < Rounds; round++)
        {
            peaks.Add(FmaPeak.Measure());
            pairs.Add(FmaPeak.MeasureTwo());
            foreach (Case item in cases)
            {
                item.Rates.Add(item.Flops / Bench.Seconds(item.Action) / 1e9);
            }
        }

        double peak = peaks.Max();
        Console.WriteLine($"FMA peak, GFLOP/s best (median): one thread {peak:F0} ({Bench.Median(peaks):F0}), two {pairs.Max():F0} ({Bench.Median(pairs):F0})");
        foreach (Case item in cases)
        {
            double bound = item.Threads * Bench.Median(peaks);
            Console.WriteLine(
                $"{item.Threads} thread(s)  {item.Name,-44} {item.Rates.Max(),5:F0} ({Bench.Median(item.Rates),4:F0}) GFLOP/s   {100 * item.Rates.Max() / item.Threads / peak,4:F0} % of peak by bests, {100 * Bench.Median(item.Rates) / bound,4:F0} % by medians");
        }
    }

    private static IEnumerable<Case> Cases(KernelRig rig, int threads)
    {
        foreach ((int m, int n, int k) in new[] { (512, 1024, 1024), (1024, 4096, 1024), (1024, 1408, 512), (1024, 512, 1408) })
        {
            Tensor x = rig.Tensor(m, k);
            Tensor w = rig.Tensor(n, k);
            Tensor y = rig.Tensor(m, n);
            double flops = 2.0 * m * n * k;
            yield return new Case(threads, $"y = x wT {m} x {n} x {k}", flops, () => rig.Backend.Linear(x, w, y));
            yield return new Case(threads, $"dx = dy w {m} x {k} x {n}", flops, () => rig.Backend.LinearGradientInput(y, w, x, scale: 1e-3f));
            if (m == 1024 && k == 512)
            {
                Tensor h = rig.Tensor(m, 8);
                Tensor a = rig.Tensor(8, k);
                Tensor b = rig.Tensor(n, 8);
                Tensor half = rig.Tensor(n, k, DType.BFloat16);
                double skinny = 2.0 * m * 8;
                yield return new Case(threads, $"y = x wT, bf16 {m} x {n} x {k}", flops, () => rig.Backend.Linear(x, half, y));
                yield return new Case(threads, $"y = x wT + h bT {m} x {n} x {k}, r 8", flops, () => rig.Backend.LowRankLinear(x, w, h, b, y, 2));
                yield return new Case(threads, $"dx = dy w + e a {m} x {k} x {n}, r 8", flops, () => rig.Backend.LowRankLinearGradientInput(y, w, h, a, x));
                yield return new Case(threads, $"h = x aT {m} x 8 x {k}", skinny * k, () => rig.Backend.Linear(x, a, h));
                yield return new Case(threads, $"e = dy b {m} x 8 x {n}", skinny * n, () => rig.Backend.LinearGradientInput(y, b, h));
                yield return new Case(threads, $"da += eT x 8 x {k} x {m}", skinny * k, () => rig.Backend.LinearGradientWeight(h, x, a, 1e-6f));
                yield return new Case(threads, $"db += dyT h {n} x 8 x {m}", skinny * n, () => rig.Backend.LinearGradientWeight(y, h, b, 1e-6f));
                yield return new Case(threads, $"dw += dyT x {n} x {k} x {m}", flops, () => rig.Backend.LinearGradientWeight(y, x, w, 1e-9f));
            }
        }

        Tensor token = rig.Tensor(1, 1024);
        Tensor matrix = rig.Tensor(4096, 1024);
        Tensor row = rig.Tensor(1, 4096);
        yield return new Case(threads, "y = x wT 1 x 4096 x 1024", 2.0 * 4096 * 1024, () => rig.Backend.Linear(token, matrix, row));
    }

    private sealed record Case(int Threads, string Name, double Flops, Action Action)
    {
        public List<double> Rates { get; } = [];
    }
}
