using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon)
    {
        foreach ((int first, int count) in InTurn(x.Rows, x.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor rows = View(x.Slice(first, count));
            TorchTensor squares = Scratch(count, x.Columns).copy_(rows).mul_(rows);
            TorchTensor factor = squares.mean([1], keepdim: true).add_(Number(epsilon), Number(1)).rsqrt_();
            if (!rstd.IsNone)
            {
                View(rstd.Slice(first, count)).copy_(factor);
            }

            if (!y.IsNone)
            {
                View(y.Slice(first, count)).copy_(squares.copy_(rows).mul_(factor).mul_(Channels(w)));
            }
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default)
    {
        foreach ((int first, int count) in InTurn(dx.Rows, x.Columns, matrices: 2))
        {
            using Work work = Begin();
            TorchTensor rows = View(x.Slice(first, count));
            TorchTensor factor = View(rstd.Slice(first, count));
            TorchTensor scaled = ScratchOf(dy.Slice(first, count)).mul_(Channels(w));
            TorchTensor mean = Scratch(count, x.Columns).copy_(scaled).mul_(rows).mean([1], keepdim: true).mul_(factor).mul_(factor);
            scaled.addcmul_(rows, mean, Number(-1)).mul_(factor);
            Finish(scaled, dx.Slice(first, count), plus, first);
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
    {
        foreach ((int first, int count) in InTurn(dw.IsNone ? 0 : dy.Rows, x.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor products = ScratchOf(dy.Slice(first, count)).mul_(View(x.Slice(first, count)));
            View(dw).addmm_(View(rstd.Slice(first, count)).t(), products);
        }
    }

    /// <summary>destination = result + plus, where the result is already whole and so may have read what is overwritten.</summary>
    private void Finish(TorchTensor result, Tensor destination, Tensor plus, int first)
    {
        if (!plus.IsNone)
        {
            result.add_(View(plus.Slice(first, destination.Rows)), Number(1));
        }

        View(destination).copy_(result);
    }
}
