using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// The block for generation: attention reads and extends a cache of keys and values. Takes the place of differentiation.
/// </summary>
public static class Decode
{
    /// <summary>Rewrites a block; returns the width of each attention's cache.</summary>
    public static (Region Region, int[] CacheWidths) Run(Region block)
    {
        var g = new Rewrite(training: false);
        var widths = new List<int>();
        foreach (Op op in block.Ops)
        {
            if (op.Operation is not Attention attention)
            {
                g.Keep(op);
                continue;
            }

            int width = attention.Shape.KeyValueWidth;
            var shape = new Shape(new Dim(1, DimSymbol.CacheRows), new Dim(width));
            int index = widths.Count;
            var keys = new Value($"Cache(layer.Index, {2 * index})", shape, ValueKind.External);
            var values = new Value($"Cache(layer.Index, {2 * index + 1})", shape, ValueKind.External);
            widths.Add(width);
            g.Keep(new Op(
                new CachedAttention(attention.Shape),
                [.. op.Inputs, keys, values],
                [op.Output])
            { Section = op.Section });
        }

        return (g.Build(block), widths.ToArray());
    }

    /// <summary>The loss region without its loss: hidden states to logits, of the rows that it is given.</summary>
    public static Region Head(Region loss)
    {
        var g = new Rewrite(training: false);
        Value? hidden = null;
        foreach (Op op in loss.Ops)
        {
            if (op.Operation is Gather)
            {
                hidden = new Value("Hidden", op.Output.Shape, ValueKind.Carried);
                g.Replace(op.Output, hidden);
            }
            else if (op.Operation is not CrossEntropy)
            {
                g.Keep(op);
            }
        }

        return g.Build(loss) with { Input = hidden };
    }
}
