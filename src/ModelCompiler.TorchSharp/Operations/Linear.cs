using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor plus = default, float scale = 1)
    {
        if (y.IsNone)
        {
            return;
        }

        Start(y, plus);
        DType type = ProductType(x, w);
        foreach ((int first, int count) in WeightRows(w, type))
        {
            using Work work = Begin();
            Multiply(As(type, x), LinearWeight(w, first, count, type).t(), View(y).narrow(1, first, count), adds: !plus.IsNone, scale);
        }

        if (!bias.IsNone)
        {
            using Work work = Begin();
            View(y).add_(Channels(bias), Number(scale));
        }
    }

    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor plus = default, float scale = 1)
    {
        if (dx.IsNone)
        {
            return;
        }

        Start(dx, plus);
        DType type = ProductType(dy, w);
        foreach ((int first, int count) in WeightRows(w, type))
        {
            using Work work = Begin();
            Multiply(As(type, dy).narrow(1, first, count), LinearWeight(w, first, count, type), View(dx), adds: first > 0 || !plus.IsNone, scale);
        }
    }

    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1)
    {
        if (dw.IsNone)
        {
            return;
        }

        DType type = ProductType(dy, x);
        foreach ((int first, int count) in type == dw.Type ? [(0, dw.Rows)] : InWorkspace(dw.Rows, dw.Columns, matrices: 1))
        {
            using Work work = Begin();
            Multiply(As(type, dy).narrow(1, first, count).t(), As(type, x), View(dw.Slice(first, count)), adds: true, scale);
        }
    }

    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1)
    {
        if (!db.IsNone)
        {
            using Work work = Begin();
            View(db).add_(View(dy).sum(0, keepdim: true, type: torch.ScalarType.Float32), Number(scale));
        }
    }

    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor plus = default)
    {
        Linear(x, w, y, bias, plus);
        Linear(h, b, y, addend: y, scale: scale);
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor plus = default)
    {
        LinearGradientInput(dy, w, dx, plus);
        LinearGradientInput(e, a, dx, addend: dx);
    }

    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1)
    {
        foreach ((int first, int count) in InTurn(inverse.IsNone ? 0 : b.Rows, b.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor rows = View(b.Slice(first, count)).t();
            TorchTensor terms = Scratch(b.Columns, count).copy_(View(inner).narrow(1, first, count)).mul_(Number(2)).addmm_(View(gram), rows, beta: 1, alpha: scale).mul_(rows);
            TorchTensor sums = terms.sum(0, keepdim: true).mul_(Number(scale)).add_(View(squares).narrow(1, first, count), Number(1));
            TorchTensor none = sums.gt(Number(0)).logical_not();
            View(inverse).narrow(1, first, count).copy_(sums.rsqrt_().masked_fill_(none, Number(0)));
        }
    }

    /// <summary>Brings the C of D = scale · f(...) + C to where D goes.</summary>
    private void Start(Tensor destination, Tensor plus)
    {
        if (!plus.IsNone && plus != destination)
        {
            using Work work = Begin();
            View(destination).copy_(View(plus));
        }
    }

    /// <summary>Operands of one type are multiplied in it, others in the type of activations.</summary>
    private DType ProductType(Tensor a, Tensor b) => a.Type == b.Type && !a.Type.IsQuantized() ? a.Type : Profile.Activation;

    /// <summary>destination = scale · a b, or that added to it; a product of another type is rounded before.</summary>
    private void Multiply(TorchTensor a, TorchTensor b, TorchTensor destination, bool adds, float scale)
    {
        if (a.dtype == destination.dtype)
        {
            destination.addmm_(a, b, beta: adds ? 1 : 0, alpha: scale);
        }
        else
        {
            (adds ? destination : destination.zero_()).add_(a.mm(b).to_type(torch.ScalarType.Float32), Number(scale));
        }
    }

    /// <summary>A weight of the product's type is used where it is; others are decoded to the workspace: at once by a kernel, else rows in turn.</summary>
    private IEnumerable<(int First, int Count)> WeightRows(Tensor w, DType type) =>
        w.Type == type || (w.Type.IsQuantized() && _kernels is not null) ? [(0, w.Rows)] : InWorkspace(w.Rows, w.Columns, matrices: w.Type.IsQuantized() ? DecodingMatrices : 1);

    /// <summary>Rows of a weight of any type, as the product's.</summary>
    private TorchTensor LinearWeight(Tensor w, int first, int count, DType type) =>
        w.Type == type ? View(w)
        : !w.Type.IsQuantized() ? Scratch(count, w.Columns, ScalarTypeOf(type)).copy_(View(w.Slice(first, count)))
        : _kernels is null ? Decode(w, first, count).to_type(ScalarTypeOf(type)) : Decode(w, _kernels, type);
}
