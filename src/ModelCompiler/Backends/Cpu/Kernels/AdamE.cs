using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso)
    {
        AdamW(w, g, m, v, step with { WeightDecay = 0 });

        // A pass of its own: the gates that are updated so are a few thousand numbers.
        var segments = new ShrinkSegments
        {
            W = Floats(w),
            Weights = new Segments(w, IsContiguous(w)),
            Kept = (float)(1 - step.LearningRate * step.WeightDecay),
            Threshold = (float)(step.LearningRate * lasso),
        };
        ForEachRow(segments, segments.Weights.Count, Segments.Length);
    }

    private struct ShrinkSegments : IRowKernel
    {
        public float* W;
        public Segments Weights;
        public float Kept, Threshold;

        public readonly void Row(int row)
        {
            (nint offset, int length) = Weights[row];
            Columns.Each(new Place { W = W + offset, Kept = Kept, Threshold = Threshold }, length);
        }

        private struct Place : IColumnAction
        {
            public float* W;
            public float Kept, Threshold;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T w = T.Load(W + i);
                T threshold = T.Of(Threshold);
                T shrunk = T.WhereLess(threshold, T.Abs(w), T.CopySign(threshold, w), default);
                (w * T.Of(Kept) - shrunk).Store(W + i);
            }
        }
    }
}
