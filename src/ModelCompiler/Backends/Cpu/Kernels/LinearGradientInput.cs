using ModelCompiler.Backends.Cpu.Gemm;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor addend = default, float scale = 1)
    {
        if (dx.IsNone)
        {
            return;
        }

        RequireShape(dy, dx.Rows, w.Rows);
        RequireShape(dx, dx.Rows, w.Columns);
        MatrixProduct product = Product(dy, w, dx, Tensor.None, addend, scale, transposed: false);
        Multiply(&product);
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor addend = default)
    {
        if (dx.IsNone)
        {
            return;
        }

        RequireShape(dy, dx.Rows, w.Rows);
        RequireShape(dx, dx.Rows, w.Columns);
        RequireShape(e, dx.Rows, a.Rows);
        RequireShape(a, e.Columns, dx.Columns);
        MatrixProduct product = Product(dy, w, dx, Tensor.None, addend, 1, transposed: false);
        AddLowRank(&product, e, a, 1, transposed: false);
        Multiply(&product);
    }
}
