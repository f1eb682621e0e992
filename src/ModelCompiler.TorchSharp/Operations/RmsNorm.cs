using ModelCompiler.Operations;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, NormShape shape)
    {
        for (int run = 0; run < x.Columns / w.Columns; run++)
        {
            NormRun(Run(x, run, w.Columns), w, Run(y, run, w.Columns), Run(rstd, run, 1), shape.Epsilon);
        }
    }

    private void NormRun(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon)
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
        for (int run = 0; run < x.Columns / w.Columns; run++)
        {
            NormRunGradient(Run(dy, run, w.Columns), Run(x, run, w.Columns), w, Run(rstd, run, 1), Run(dx, run, w.Columns), Run(plus, run, w.Columns));
        }
    }

    private void NormRunGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus)
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
        for (int run = 0; !dw.IsNone && run < x.Columns / dw.Columns; run++)
        {
            NormRunGradientWeight(Run(dy, run, dw.Columns), Run(x, run, dw.Columns), Run(rstd, run, 1), dw);
        }
    }

    private void NormRunGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
    {
        foreach ((int first, int count) in InTurn(dy.Rows, x.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor products = ScratchOf(dy.Slice(first, count)).mul_(View(x.Slice(first, count)));
            View(dw).addmm_(View(rstd.Slice(first, count)).t(), products);
        }
    }

    /// <summary>Some of the columns of every row.</summary>
    private static Tensor Run(Tensor x, int run, int width) => x.IsNone ? x : x.Window(0, x.Rows, run * width, width);

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
