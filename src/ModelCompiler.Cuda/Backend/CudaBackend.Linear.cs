using ModelCompiler.Cuda.Gemm;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>
/// Products with weights. Operands are of one type: where they are not, what is not of the activations' is decoded or converted in the workspace.
/// </content>
public sealed unsafe partial class CudaBackend
{
    private long _scratchEnd;

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor addend = default, float scale = 1)
    {
        if (y.IsNone || MultiplyQuantized(x, w, y, bias, addend, scale))
        {
            return;
        }

        (Tensor a, Tensor b) = Operands(w, x);
        Multiply(transposeA: true, transposeB: false, a, b, addend, y, w.Columns, EpilogueBias(bias, y.Type, scale), scale);
    }

    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor addend = default, float scale = 1)
    {
        if (!dx.IsNone)
        {
            (Tensor a, Tensor b) = Operands(w, dy);
            Multiply(transposeA: false, transposeB: false, a, b, addend, dx, w.Rows, Tensor.None, scale);
        }
    }

    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1)
    {
        if (!dw.IsNone)
        {
            (Tensor a, Tensor b) = Operands(x, dy);
            Multiply(transposeA: false, transposeB: true, a, b, dw, dw, x.Rows, Tensor.None, scale);
        }
    }

    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor addend = default)
    {
        Linear(x, w, y, bias, addend);
        Linear(h, b, y, addend: y, scale: scale);
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor addend = default)
    {
        LinearGradientInput(dy, w, dx, addend);
        LinearGradientInput(e, a, dx, addend: dx);
    }

    /// <summary>The operands of a product in one type: as they are where they have it, in the workspace else.</summary>
    private (Tensor First, Tensor Second) Operands(Tensor first, Tensor second)
    {
        _scratchEnd = 0;
        DType type = first.Type == second.Type && !first.Type.IsQuantized() ? first.Type : Profile.Activation;
        return (Operand(first, type), Operand(second, type));
    }

    private Tensor Operand(Tensor x, DType type)
    {
        if (x.Type == type)
        {
            return x;
        }

        if (!x.Type.IsQuantized())
        {
            return Converted(x, type);
        }

        Tensor decoded = Reserve(x.Rows, x.Columns, type);
        Decode(x, decoded);
        return decoded;
    }

    /// <summary>A product's epilogue adds its vector after the scale, and in the result's type.</summary>
    private Tensor EpilogueBias(Tensor bias, DType type, float scale)
    {
        if (bias.IsNone || (bias.Type == type && scale == 1))
        {
            return bias;
        }

        Tensor vector = Reserve(1, bias.Columns, type);
        AddBias(Tensor.None, bias, vector, Tensor.None, scale);
        return vector;
    }

    private Tensor Converted(Tensor x, DType type)
    {
        Tensor converted = Reserve(x.Rows, x.Columns, type);
        Copy(x, converted);
        return converted;
    }

    /// <summary>The next part of the workspace, until the next product.</summary>
    private Tensor Reserve(int rows, int columns, DType type)
    {
        Tensor scratch = Scratch(_scratchEnd, rows, columns, type);
        _scratchEnd += Profile.Align((long)rows * columns * type.Size());
        return scratch;
    }

    /// <summary>
    /// d = scale · op(a) op(b) + plus + bias, where a and b are the row-major operands seen as column-major ones and d, seen so, is [a's, b's].
    /// </summary>
    private void Multiply(bool transposeA, bool transposeB, Tensor a, Tensor b, Tensor addend, Tensor d, int depth, Tensor bias, float scale)
    {
        Tensor c = addend.IsNone ? d : addend;
        if (c.Type != d.Type)
        {
            throw new ArgumentException($"{c} cannot be added to {d}: their types differ.");
        }

        (nint addressA, nint addressB, nint addressC, nint addressD) = (Address(a), Address(b), Address(c), Address(d));
        var product = new Product(
            transposeA,
            transposeB,
            d.Columns,
            d.Rows,
            depth,
            a.Type,
            d.Type,
            a.Stride,
            b.Stride,
            c.Stride,
            d.Stride,
            !bias.IsNone,
            Product.AlignmentOf(addressA),
            Product.AlignmentOf(addressB),
            Product.AlignmentOf(addressC),
            Product.AlignmentOf(addressD));
        int number = _products.Number(product, BackendProfile.CudaProducts);
        _queue.Multiply(new ProductCall(
            number,
            addressA,
            addressB,
            addressC,
            addressD,
            Address(bias),
            scale,
            addend.IsNone ? 0 : 1,
            Constant(BackendProfile.CudaConstants),
            BackendProfile.CudaProducts));
    }
}
