using ModelCompiler.Backends.Cpu.Gemm;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor addend = default, float scale = 1)
    {
        if (y.IsNone)
        {
            return;
        }

        RequireShape(x, y.Rows, w.Columns);
        RequireShape(y, y.Rows, w.Rows);
        MatrixProduct product = Product(x, w, y, bias, addend, scale, transposed: true);
        Multiply(&product);
    }

    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor addend = default)
    {
        if (y.IsNone)
        {
            return;
        }

        RequireShape(x, y.Rows, w.Columns);
        RequireShape(y, y.Rows, w.Rows);
        RequireShape(h, y.Rows, b.Columns);
        RequireShape(b, y.Columns, b.Columns);
        MatrixProduct product = Product(x, w, y, bias, addend, 1, transposed: true);
        AddLowRank(&product, h, b, scale, transposed: true);
        Multiply(&product);
    }

    /// <summary>The product x w or, <paramref name="transposed"/>, x wᵀ.</summary>
    private MatrixProduct Product(Tensor x, Tensor w, Tensor y, Tensor bias, Tensor addend, float scale, bool transposed)
    {
        if (!addend.IsNone)
        {
            RequireShape(addend, y.Rows, y.Columns);
        }

        if (!bias.IsNone)
        {
            RequireShape(bias, 1, y.Columns);
        }

        return new MatrixProduct
        {
            Rows = y.Rows,
            Columns = y.Columns,
            Count = x.Columns,
            A = (byte*)Floats(x),
            ARow = x.Stride * sizeof(float),
            AStep = sizeof(float),
            B = Operand.Of(w, Arena.At(w), transposed),
            Bias = Arena.At(bias),
            BiasType = bias.Type,
            Start = Floats(addend),
            StartStride = addend.Stride,
            C = Floats(y),
            CStride = y.Stride,
            Scale = scale,
        };
    }

    private void AddLowRank(MatrixProduct* product, Tensor h, Tensor g, float scale, bool transposed)
    {
        product->LowRank = h.Columns;
        product->H = Floats(h);
        product->HStride = h.Stride;
        product->G = Operand.Of(g, Arena.At(g), transposed);
        product->LowRankScale = scale;
    }

    private void Multiply(MatrixProduct* product)
    {
        if (product->LowRank > 0 && product->Rows <= SkinnyProduct.MostRows && product->B.Transposed)
        {
            MultiplyFewRows(product);
        }
        else if (Nf4Gemv.Fits(*product, workspacePerThread))
        {
            Nf4Gemv.Run(product, team, Scratch(0));
        }
        else if (SkinnyProduct.Fits(*product))
        {
            SkinnyProduct.Run(product, team, Scratch(0), workspacePerThread);
        }
        else
        {
            MatrixProduct.Run(product, team, Scratch(0), workspacePerThread);
        }
    }

    /// <summary>For a generated token the weights are read once, so the low-rank term may be a product of its own.</summary>
    private void MultiplyFewRows(MatrixProduct* product)
    {
        MatrixProduct lowRank = *product;
        lowRank.LowRank = 0;
        lowRank.Bias = null;
        lowRank.A = (byte*)product->H;
        lowRank.ARow = product->HStride * sizeof(float);
        lowRank.B = product->G;
        lowRank.Count = product->LowRank;
        lowRank.Scale = product->Scale * product->LowRankScale;
        lowRank.Start = product->C;
        lowRank.StartStride = product->CStride;
        product->LowRank = 0;
        Multiply(product);
        Multiply(&lowRank);
    }

    /// <exception cref="ArgumentException">The tensor has another shape.</exception>
    private static void RequireShape(Tensor tensor, int rows, int columns)
    {
        if (tensor.Rows != rows || tensor.Columns != columns)
        {
            throw new ArgumentException($"{tensor} must be [{rows}, {columns}].");
        }
    }
}
