using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step)
    {
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
            Scalars = new AdamWScalars(step),
        };
        ForEachRow(segments, segments.Weights.Count, Segments.Length);
    }

    private static bool IsContiguous(Tensor x) => x.Stride == x.Columns || x.Rows == 1;

    private struct AdamWSegments : IRowKernel
    {
        public float* W, G, M, V;
        public Segments Weights, Gradients, First, Second;
        public AdamWScalars Scalars;

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
                    Scalars = Scalars,
                },
                length);
        }

        private struct Place : IColumnAction
        {
            public float* W, G, M, V;
            public AdamWScalars Scalars;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T g = T.Load(G + i);
                T m = Scalars.First(T.Load(M + i), g);
                T v = Scalars.Second(T.Load(V + i), g);
                m.Store(M + i);
                v.Store(V + i);
                Scalars.Weight(T.Load(W + i), m, v).Store(W + i);
            }
        }
    }
}
