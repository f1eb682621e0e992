using ModelCompiler.Operations;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, NormShape shape)
    {
        foreach ((int first, int count) in InTurn(x.Rows, x.Columns, matrices: 2))
        {
            using Work work = Begin();
            TorchTensor centered = ScratchOf(x.Slice(first, count));
            TorchTensor mean = centered.mean([1], keepdim: true);
            centered.sub_(mean);
            TorchTensor rstd = Scratch(count, x.Columns).copy_(centered).mul_(centered).mean([1], keepdim: true).add_(Number(shape.Epsilon), Number(1)).rsqrt_();
            if (!statistics.IsNone)
            {
                TorchTensor both = View(statistics.Slice(first, count));
                both.narrow(1, 0, 1).copy_(mean);
                both.narrow(1, 1, 1).copy_(rstd);
            }

            if (!y.IsNone)
            {
                centered.mul_(rstd).mul_(Channels(w));
                View(y.Slice(first, count)).copy_(b.IsNone ? centered : centered.add_(Channels(b), Number(1)));
            }
        }
    }

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor plus = default)
    {
        foreach ((int first, int count) in InTurn(dx.Rows, x.Columns, matrices: 3))
        {
            using Work work = Begin();
            TorchTensor rstd = View(statistics.Slice(first, count)).narrow(1, 1, 1);
            TorchTensor normalized = Normalized(x.Slice(first, count), statistics.Slice(first, count));
            TorchTensor scaled = ScratchOf(dy.Slice(first, count)).mul_(Channels(w));
            TorchTensor projection = Scratch(count, x.Columns).copy_(scaled).mul_(normalized).mean([1], keepdim: true);
            scaled.sub_(scaled.mean([1], keepdim: true)).addcmul_(normalized, projection, Number(-1)).mul_(rstd);
            Finish(scaled, dx.Slice(first, count), plus, first);
        }
    }

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw)
    {
        foreach ((int first, int count) in InTurn(dw.IsNone ? 0 : dy.Rows, x.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor products = Normalized(x.Slice(first, count), statistics.Slice(first, count)).mul_(View(dy.Slice(first, count)));
            View(dw).add_(products.sum(0, keepdim: true), Number(1));
        }
    }

    /// <summary>(x − mean) · rstd, in the workspace.</summary>
    private TorchTensor Normalized(Tensor x, Tensor statistics)
    {
        TorchTensor both = View(statistics);
        return ScratchOf(x).sub_(both.narrow(1, 0, 1)).mul_(both.narrow(1, 1, 1));
    }
}
