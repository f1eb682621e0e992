using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1)
    {
        if (db.IsNone)
        {
            return;
        }

        RequireShape(db, 1, dy.Columns);
        var term = new BiasGradientTerm { Dy = RowsOf(dy), Scale = scale };
        ForEachColumnRange(new ColumnSum<BiasGradientTerm> { Term = term, Sum = Floats(db), Rows = dy.Rows }, dy.Rows, db.Columns);
    }

    private struct BiasGradientTerm : IRowTerm
    {
        public FloatRows Dy;
        public float Scale;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public readonly T At<T>(int row, int column)
            where T : unmanaged, ILanes<T> => T.Of(Scale) * T.Load(Dy[row] + column);
    }
}
