using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Zero(Tensor x)
    {
        if (!x.IsNone)
        {
            using Work work = Begin();
            View(x).zero_();
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        if (source.Rows != destination.Rows || source.Columns != destination.Columns)
        {
            throw new ArgumentException($"Cannot copy {source} to {destination}: their shapes differ.");
        }

        using Work work = Begin();
        View(destination).copy_(View(source));
    }

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y)
    {
        if (!y.IsNone)
        {
            using Work work = Begin();
            View(y).copy_(View(b == y ? b : a)).add_(View(b == y ? a : b), Number(1));
        }
    }

    /// <inheritdoc/>
    public void ScaleChannels(Tensor x, Tensor g, Tensor y, Tensor plus = default)
    {
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 1))
        {
            using Work work = Begin();
            Finish(ScratchOf(x.Slice(first, count)).mul_(Channels(g)), y.Slice(first, count), plus, first);
        }
    }

    /// <inheritdoc/>
    public void ScaleChannelsGradientWeight(Tensor dy, Tensor x, Tensor dg)
    {
        foreach ((int first, int count) in InTurn(dg.IsNone ? 0 : dy.Rows, dy.Columns, matrices: 1))
        {
            using Work work = Begin();
            View(dg).add_(Products(dy, x, first, count).sum(0, keepdim: true), Number(1));
        }
    }

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor plus = default)
    {
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor scaled = ScratchOf(z.Slice(first, count)).mul_(Channels(m).mul(View(inverse)));
            Finish(bias.IsNone ? scaled : scaled.add_(Channels(bias), Number(1)), y.Slice(first, count), plus, first);
        }
    }

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm)
    {
        foreach ((int first, int count) in InTurn(dm.IsNone ? 0 : dy.Rows, dy.Columns, matrices: 1))
        {
            using Work work = Begin();
            View(dm).add_(Products(dy, z, first, count).sum(0, keepdim: true).mul_(View(inverse)), Number(1));
        }
    }

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold)
    {
        using Work work = Begin();
        View(c).sub_(Number(threshold)).clamp_(Number(0), Number(1));
    }

    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums)
    {
        foreach ((int first, int count) in InTurn(sums.IsNone ? 0 : a.Rows, a.Columns, matrices: 1))
        {
            using Work work = Begin();
            View(sums).narrow(1, first, count).add_(Products(a, b, first, count).sum(1), Number(1));
        }
    }

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2)
    {
        foreach ((int first, int count) in InTurn(w.Rows, w.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor importance = Products(w, g, first, count).abs_();
            TorchTensor smoothed = View(sensitivity.Slice(first, count)).mul_(Number(beta1)).add_(importance, Number(1 - (double)beta1));
            View(uncertainty.Slice(first, count)).mul_(Number(beta2)).add_(importance.sub_(smoothed).abs_(), Number(1 - (double)beta2));
        }
    }

    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y)
    {
        if (!y.IsNone)
        {
            using Work work = Begin();
            View(y).copy_(Heads(x, x.Columns / y.Columns).mean([2], type: torch.ScalarType.Float32));
        }
    }

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor plus = default)
    {
        if (!dx.IsNone)
        {
            int size = dx.Columns / dy.Columns;
            Start(dx, plus);
            using Work work = Begin();
            TorchTensor groups = Heads(dx, size);
            (plus.IsNone ? groups.zero_() : groups).add_(As(DType.Float32, dy).unsqueeze(2), Number(1.0 / size));
        }
    }

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum)
    {
        foreach ((int first, int count) in InTurn(sum.IsNone ? 0 : x.Rows, x.Columns, matrices: 4))
        {
            using Work work = Begin();
            TorchTensor wide = View(x.Slice(first, count)).to_type(torch.ScalarType.Float64);
            View(sum).add_(wide.mul_(wide).sum(), Number(1));
        }
    }

    /// <summary>Products of elements of some rows, in the workspace.</summary>
    private TorchTensor Products(Tensor a, Tensor b, int first, int count) => ScratchOf(a.Slice(first, count)).mul_(View(b.Slice(first, count)));
}
