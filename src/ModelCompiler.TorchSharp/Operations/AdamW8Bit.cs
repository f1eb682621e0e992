using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <summary>Index of 0 in <see cref="DynamicMap.Signed"/>.</summary>
    private const int ZeroCode = 127;

    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        const int width = MomentBlock.Elements;
        int whole = (int)(w.Count / width);
        foreach ((int first, int count) in InTurn(whole, width, matrices: 12))
        {
            UpdateBlocks(Blocks(w, first, count, width), Blocks(g, first, count, width), Blocks(m, first, count, width), Blocks(v, first, count, width), mScales.Slice(first, count), vScales.Slice(first, count), step);
        }

        int rest = (int)(w.Count % width);
        if (rest > 0)
        {
            UpdateBlocks(Blocks(w, whole, 1, rest), Blocks(g, whole, 1, rest), Blocks(m, whole, 1, rest), Blocks(v, whole, 1, rest), mScales.Slice(whole, 1), vScales.Slice(whole, 1), step);
        }
    }

    /// <summary>A block of moments is one row.</summary>
    private void UpdateBlocks(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step)
    {
        using Work work = Begin();
        TorchTensor gradient = ScratchOf(g).mul_(Number(step.GradientScale));
        TorchTensor unusable = Scratch(g.Rows, g.Columns).copy_(gradient).mul_(gradient).isfinite().logical_not();
        TorchTensor first = Map(DynamicMap.Signed, View(m)).mul_(View(mScales)).mul_(Number(step.Beta1)).add_(gradient, Number(1 - step.Beta1)).masked_fill_(unusable, Number(0));
        TorchTensor second = Map(DynamicMap.Unsigned, View(v)).mul_(View(vScales)).mul_(Number(step.Beta2)).addcmul_(gradient, gradient, Number(1 - step.Beta2)).masked_fill_(unusable, Number(0));
        TorchTensor weights = View(w);
        TorchTensor update = Scratch(w.Rows, w.Columns).copy_(first).div_(Denominator(Scratch(w.Rows, w.Columns).copy_(second), step)).mul_(Number(StepSize(step)))
            .add_(weights, Number(step.Rate * step.Decay)).masked_fill_(unusable, Number(0));
        weights.sub_(update);
        TorchTensor negative = first.lt(Number(0));
        TorchTensor codes = Encode(DynamicMap.Signed, first, mScales);
        View(m).copy_(codes.sub_(negative.logical_and(codes.ge(Number(ZeroCode))).to_type(codes.dtype)));
        View(v).copy_(Encode(DynamicMap.Unsigned, second, vScales));
    }

    /// <summary>Stores each row's greatest magnitude; the indices of the values nearest to x divided by it, of two the lower.</summary>
    private TorchTensor Encode(DynamicMap map, TorchTensor x, Tensor scales)
    {
        TorchTensor scale = View(scales).copy_(x.abs().amax([1L], keepdim: true));
        TorchTensor middles = Table(map == DynamicMap.Signed ? "signed middles" : "unsigned middles", () =>
        {
            float[] values = map.Values.ToArray();
            return torch.tensor([.. values.Skip(1).Zip(values, (upper, lower) => (float)(((double)upper + lower) / 2))]);
        });
        return x.div_(scale).nan_to_num_(0).bucketize(middles);
    }

    /// <summary>Consecutive elements of a tensor without gaps between its rows, as rows of their own.</summary>
    private static Tensor Blocks(Tensor x, int first, int count, int width) =>
        new(x.Offset + (long)first * MomentBlock.Elements * x.Type.Size(), count, width, width, x.Type);
}
