using ModelCompiler.Backends.Cpu.Gemm;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1)
    {
        if (dw.IsNone)
        {
            return;
        }

        RequireShape(dy, x.Rows, dw.Rows);
        RequireShape(x, x.Rows, dw.Columns);
        // The sum runs over tokens. With few outputs the inputs need no packing; with few inputs the transpose dwᵀ += xᵀ dy has few outputs.
        bool swap = dw.Columns <= SkinnyProduct.MostColumns && dw.Rows > dw.Columns;
        (Tensor left, Tensor right) = swap ? (x, dy) : (dy, x);
        var product = new MatrixProduct
        {
            Rows = left.Columns,
            Columns = right.Columns,
            Count = x.Rows,
            A = (byte*)Floats(left),
            ARow = sizeof(float),
            AStep = left.Stride * sizeof(float),
            B = Operand.Of(right, (byte*)Floats(right), transposed: false),
            BInPlace = left.Columns <= SkinnyProduct.MostColumns,
            Scale = scale,
        };
        if (swap)
        {
            product.TransposedSum = Floats(dw);
            product.TransposedStride = dw.Stride;
        }
        else
        {
            product.Start = Floats(dw);
            product.StartStride = dw.Stride;
            product.C = Floats(dw);
            product.CStride = dw.Stride;
        }

        MatrixProduct.Run(&product, team, Scratch(0), workspacePerThread);
    }
}
