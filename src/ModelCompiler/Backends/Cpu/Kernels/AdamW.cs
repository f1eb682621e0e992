using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
        double firstCorrection = 1 - Math.Pow(step.Beta1, step.Count);
        double secondCorrection = 1 - Math.Pow(step.Beta2, step.Count);
        bool contiguous = IsContiguous(w) && IsContiguous(g) && IsContiguous(m) && IsContiguous(v);
        var segments = new AdamWSegments
        {
            W = Floats(w),
            G = Floats(g),
            M = Floats(m),
            V = Floats(v),
            Weights = new Segments(w, contiguous),
            Gradients = new Segments(g, contiguous),
            First = new Segments(m, contiguous),
            Second = new Segments(v, contiguous),
            Beta1 = (float)step.Beta1,
            Beta2 = (float)step.Beta2,
            ScaleOfFirst = (float)((1 - step.Beta1) * step.GradientScale),
            ScaleOfSecond = (float)((1 - step.Beta2) * step.GradientScale * step.GradientScale),
            Rate = (float)(step.Rate / firstCorrection),
            Root = (float)(1 / Math.Sqrt(secondCorrection)),
            Epsilon = (float)step.Epsilon,
            Decay = (float)(step.Rate * step.Decay),
        };
        ForEachRow(segments, segments.Weights.Count, Segments.Length);
    }

    private static bool IsContiguous(Tensor x) => x.Stride == x.Columns || x.Rows == 1;

    private struct AdamWSegments : IRowKernel
    {
        public float* W, G, M, V;
        public Segments Weights, Gradients, First, Second;
        public float Beta1, Beta2, ScaleOfFirst, ScaleOfSecond, Rate, Root, Epsilon, Decay;

        public readonly void Row(int row)
        {
            (nint offset, int length) = Weights[row];
            Columns.Each(
                new Place
                {
                    W = W + offset,
                    G = G + Gradients[row].Offset,
                    M = M + First[row].Offset,
                    V = V + Second[row].Offset,
                    Beta1 = Beta1,
                    Beta2 = Beta2,
                    ScaleOfFirst = ScaleOfFirst,
                    ScaleOfSecond = ScaleOfSecond,
                    Rate = Rate,
                    Root = Root,
                    Epsilon = Epsilon,
                    Decay = Decay,
                },
                length);
        }

        private struct Place : IColumnAction
        {
            public float* W, G, M, V;
            public float Beta1, Beta2, ScaleOfFirst, ScaleOfSecond, Rate, Root, Epsilon, Decay;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T g = T.Load(G + i);
                T m = T.MultiplyAdd(T.Load(M + i), T.Of(Beta1), g * T.Of(ScaleOfFirst));
                T v = T.MultiplyAdd(T.Load(V + i), T.Of(Beta2), g * T.Of(ScaleOfSecond) * g);
                m.Store(M + i);
                v.Store(V + i);
                T update = m * T.Of(Rate) / T.MultiplyAdd(T.Sqrt(v), T.Of(Root), T.Of(Epsilon));
                T w = T.Load(W + i);
                (w - T.MultiplyAdd(w, T.Of(Decay), update)).Store(W + i);
            }
        }
    }
}
