using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Benchmarks;

/// <summary>The operations that are not products, on one thread: microseconds and gigabytes of tensors read and written per second.</summary>
internal static class ElementwiseBenchmark
{
    private const int Rounds = 25;
    private const int Rows = 512;

    public static void Run()
    {
        using var rig = new KernelRig(1);
        rig.Backend.BeginStep(new Step(Batch: 2, Sequence: 256, LossScale: 1e-3));
        List<Case> cases = [.. Cases(rig)];
        for (int round = 0; round < Rounds; round++)
        {
            foreach (Case item in cases)
            {
                item.Seconds.Add(Bench.Seconds(item.Action));
            }
        }

        foreach (Case item in cases)
        {
            double best = item.Seconds.Min();
            Console.WriteLine($"{item.Name,-40} {best * 1e6,7:F1} ({Bench.Median(item.Seconds) * 1e6,6:F1}) us   {item.Bytes / best / 1e9,6:F1} GB/s");
        }
    }

    private static IEnumerable<Case> Cases(KernelRig rig)
    {
        IBackend b = rig.Backend;
        const int d = 512;
        const int hidden = 1408;
        Tensor x = rig.Tensor(Rows, d), dy = rig.Tensor(Rows, d), y = rig.Tensor(Rows, d), plus = rig.Tensor(Rows, d);
        Tensor w = rig.Tensor(1, d), dw = rig.Tensor(1, d), bias = rig.Tensor(1, d), rstd = rig.Tensor(Rows, 1), statistics = rig.Tensor(Rows, 2);
        Tensor gate = rig.Tensor(Rows, hidden), up = rig.Tensor(Rows, hidden), h = rig.Tensor(Rows, hidden);
        long wide = 4L * Rows * hidden;
        long narrow = 4L * Rows * d;
        yield return new("RmsNorm 512", 2 * narrow, () => b.RmsNorm(x, w, y, rstd, new NormShape(1e-5f)));
        yield return new("RmsNormGradient 512, plus", 4 * narrow, () => b.RmsNormGradient(dy, x, w, rstd, y, plus));
        yield return new("RmsNormGradientWeight 512", 2 * narrow, () => b.RmsNormGradientWeight(dy, x, rstd, dw));
        yield return new("LayerNorm 512", 2 * narrow, () => b.LayerNorm(x, w, bias, y, statistics, new NormShape(1e-5f)));
        yield return new("LayerNormGradient 512, plus", 4 * narrow, () => b.LayerNormGradient(dy, x, w, statistics, y, plus));
        yield return new("LayerNormGradientWeight 512", 2 * narrow, () => b.LayerNormGradientWeight(dy, x, statistics, dw));
        yield return new("Rotary q and k, 8 x 64", 4 * narrow, () =>
        {
            b.Rotary(x, x, new RotaryShape(64, 64, 10_000));
            b.Rotary(plus, plus, new RotaryShape(64, 64, 10_000));
        });
        yield return new("SwiGlu 1408", 3 * wide, () => b.SwiGlu(gate, up, h));
        yield return new("SwiGluGradient 1408 (apart)", 5 * wide, SwiGluGradient(rig, hidden, inPlace: false));
        yield return new("SwiGluGradient 1408 (dUp over up)", 5 * wide, SwiGluGradient(rig, hidden, inPlace: true));
        yield return new("GeGlu 1408", 3 * wide, () => b.GeGlu(gate, up, h));
        yield return new("Gelu 1408", 2 * wide, () => b.Gelu(gate, h));
        yield return new("GeluGradient 1408", 3 * wide, () => b.GeluGradient(up, gate, h));
        yield return new("SoftCap 1408", 2 * wide, () => b.SoftCap(gate, h, 30));
        yield return new("Dropout 1408", 2 * wide, () => b.Dropout(gate, h, 0.1f, 5));
        yield return new("Add 512", 3 * narrow, () => b.Add(x, dy, y));
        yield return new("Gate 512, plus", 3 * narrow, () => b.ScaleChannels(x, w, y, plus));

        const int vocabulary = 4096;
        Tensor logits = rig.Tensor(256, vocabulary), dLogits = rig.Tensor(256, vocabulary), lse = rig.Tensor(256, 1), loss = rig.Tensor(1, 1);
        Tensor targets = rig.Tensor(256, 1) with { Type = DType.Int32 };
        b.Write(targets, (int[])[.. Enumerable.Range(0, 256).Select(i => i * 13)]);
        yield return new("CrossEntropy and gradient 256 x 4096", 3 * 256 * 4L * vocabulary, () =>
        {
            b.CrossEntropy(logits, targets, lse, loss);
            b.CrossEntropyGradient(logits, targets, lse, dLogits);
        });
        Tensor ids = rig.Tensor(Rows, 1) with { Type = DType.Int32 };
        b.Write(ids, (int[])[.. Enumerable.Range(0, Rows).Select(i => i * 7 % vocabulary)]);
        Tensor table = rig.Tensor(vocabulary, d), half = rig.Tensor(vocabulary, d, DType.BFloat16), gradient = rig.Tensor(vocabulary, d);
        yield return new("Embedding 512", 2 * narrow, () => b.Embedding(ids, table, y));
        yield return new("Embedding 512, bf16", 3 * narrow / 2, () => b.Embedding(ids, half, y));
        yield return new("EmbeddingGradient 512", 3 * narrow, () => b.EmbeddingGradient(dy, ids, gradient, 1e-6f));

        const int parameters = 1408;
        Tensor weights = rig.Tensor(parameters, 8), g = rig.Tensor(parameters, 8), m = rig.Tensor(parameters, 8), v = rig.Tensor(parameters, 8);
        Tensor sum = rig.Tensor(1, 1);
        b.Zero(v);
        yield return new("AdamW 1408 x 8", 7 * 4L * 8 * parameters, () => b.AdamW(weights, g, m, v, new AdamWStep(1e-6, 0.9, 0.999, 1e-8, 0.01, 10, 1)));
        yield return new("AdamW 4096 x 512", 7 * 4L * d * vocabulary, AdamWLarge(rig, vocabulary, d));
        yield return new("AdamW8Bit 4096 x 512", (3 * 4 + 4) * d * vocabulary, AdamW8BitLarge(rig, vocabulary, d));
        yield return new("SquaredNorm 4096 x 512", 4L * d * vocabulary, () => b.SquaredNorm(table, sum));
    }

    private static Action SwiGluGradient(KernelRig rig, int hidden, bool inPlace)
    {
        Tensor dh = rig.Tensor(Rows, hidden), gate = rig.Tensor(Rows, hidden), up = rig.Tensor(Rows, hidden);
        Tensor dGate = rig.Tensor(Rows, hidden), dUp = inPlace ? up : rig.Tensor(Rows, hidden);
        return () => rig.Backend.SwiGluGradient(dh, gate, up, dGate, dUp);
    }

    private static Action AdamWLarge(KernelRig rig, int rows, int columns)
    {
        Tensor w = rig.Tensor(rows, columns), g = rig.Tensor(rows, columns), m = rig.Tensor(rows, columns), v = rig.Tensor(rows, columns);
        rig.Backend.Zero(v);
        return () => rig.Backend.AdamW(w, g, m, v, new AdamWStep(1e-6, 0.9, 0.999, 1e-8, 0.01, 10, 1));
    }

    private static Action AdamW8BitLarge(KernelRig rig, int rows, int columns)
    {
        int elements = rows * columns;
        Tensor w = rig.Tensor(1, elements), g = rig.Tensor(1, elements), m = rig.Tensor(1, elements, DType.UInt8), v = rig.Tensor(1, elements, DType.UInt8);
        Tensor mScales = rig.Tensor(1, MomentBlock.Count(elements)), vScales = rig.Tensor(1, MomentBlock.Count(elements));
        rig.Backend.Zero(mScales);
        rig.Backend.Zero(vScales);
        return () => rig.Backend.AdamW8Bit(w, g, m, v, mScales, vScales, new AdamWStep(1e-6, 0.9, 0.999, 1e-8, 0.01, 10, 1));
    }

    private sealed record Case(string Name, long Bytes, Action Action)
    {
        public List<double> Seconds { get; } = [];
    }
}
