using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <summary>Rows whose losses are kept on the stack until they are added in order.</summary>
    private const int LossesPerChunk = 1024;

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss, Tensor weights = default)
    {
        RequireIds(targets, logits.Columns, ignoreNegative: true);
        double* losses = stackalloc double[LossesPerChunk];
        double sum = 0;
        for (int first = 0; first < logits.Rows; first += LossesPerChunk)
        {
            int rows = Math.Min(LossesPerChunk, logits.Rows - first);
            ForEachRow(
                new CrossEntropyRows
                {
                    Logits = RowsOf(logits.Slice(first, rows)),
                    Targets = Integers(targets.Slice(first, rows)),
                    TargetStride = targets.Stride,
                    LogSumExp = logSumExp.IsNone ? default : RowsOf(logSumExp.Slice(first, rows)),
                    Weights = weights.IsNone ? default : RowsOf(weights.Slice(first, rows)),
                    Losses = losses,
                    Width = logits.Columns,
                },
                rows,
                logits.Columns);
            for (int row = 0; row < rows; row++)
            {
                sum += losses[row];
            }
        }

        if (!loss.IsNone)
        {
            *Floats(loss) = (float)(*Floats(loss) + sum);
        }
    }

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits, Tensor weights = default)
    {
        RequireIds(targets, logits.Columns, ignoreNegative: true);
        ForEachRow(
            new CrossEntropyGradientRows
            {
                Logits = RowsOf(logits),
                Targets = Integers(targets),
                TargetStride = targets.Stride,
                LogSumExp = RowsOf(logSumExp),
                Weights = RowsOf(weights),
                DLogits = RowsOf(dLogits),
                Width = logits.Columns,
                Scale = (float)Step.LossScale,
            },
            dLogits.Rows,
            dLogits.Columns);
    }

    private struct CrossEntropyRows : IRowKernel
    {
        public FloatRows Logits, LogSumExp, Weights;
        public int* Targets;
        public nint TargetStride;
        public double* Losses;
        public int Width;

        public readonly void Row(int row)
        {
            float* logits = Logits[row];
            float maximum = Columns.Max(logits, Width);
            double normalizer = maximum + Math.Log(Columns.Sum(new Exponential { X = logits, Maximum = maximum }, Width));
            if (!LogSumExp.IsNone)
            {
                *LogSumExp[row] = (float)normalizer;
            }

            int target = Targets[row * TargetStride];
            Losses[row] = target < 0 ? 0 : (normalizer - logits[target]) * (Weights.IsNone ? 1 : *Weights[row]);
        }

        private struct Exponential : IColumnTerm
        {
            public float* X;
            public float Maximum;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly T AddTo<T>(T sum, int i)
                where T : unmanaged, ILanes<T> => sum + T.Exp(T.Load(X + i) - T.Of(Maximum));
        }
    }

    private struct CrossEntropyGradientRows : IRowKernel
    {
        public FloatRows Logits, LogSumExp, Weights, DLogits;
        public int* Targets;
        public nint TargetStride;
        public int Width;
        public float Scale;

        public readonly void Row(int row)
        {
            int target = Targets[row * TargetStride];
            float* gradient = DLogits[row];
            if (target < 0)
            {
                new Span<float>(gradient, Width).Clear();
                return;
            }

            float scale = Weights.IsNone ? Scale : Scale * *Weights[row];
            Columns.Each(new Place { X = Logits[row], Y = gradient, LogSumExp = *LogSumExp[row], Scale = scale }, Width);
            gradient[target] -= scale;
        }

        private struct Place : IColumnAction
        {
            public float* X, Y;
            public float LogSumExp, Scale;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T> => (T.Exp(T.Load(X + i) - T.Of(LogSumExp)) * T.Of(Scale)).Store(Y + i);
        }
    }
}
