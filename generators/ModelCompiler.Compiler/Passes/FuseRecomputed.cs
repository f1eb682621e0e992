using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Lets the gradient of a gated activation recompute the activation too: it reads gate and up and takes the exponential anyway. What
/// reads the recomputed value runs after the gradient then, so it has to be nothing that the gradient needs.
/// </summary>
public static class FuseRecomputed
{
    /// <summary>Runs the pass over the operations of a backward.</summary>
    public static Op[] Run(Op[] ops)
    {
        foreach (Op recomputed in ops.Where(o => o.Recomputed && o.Operation is GatedActivation).ToArray())
        {
            ops = Fuse(ops, recomputed);
        }

        return ops;
    }

    private static Op[] Fuse(Op[] ops, Op recomputed)
    {
        Operation row = ((GatedActivation)recomputed.Operation).GradientRow;
        int first = Array.IndexOf(ops, recomputed);
        int last = Array.FindIndex(ops, first, o => o.Operation == row && o.Inputs.Skip(1).SequenceEqual(recomputed.Inputs));
        if (last < 0)
        {
            return ops;
        }

        var late = new HashSet<Value> { recomputed.Output };
        var before = new List<Op>();
        var after = new List<Op>();
        for (int i = first + 1; i < last; i++)
        {
            bool waits = ops[i].Reads.Any(late.Contains);
            (waits ? after : before).Add(ops[i]);
            late.UnionWith(waits ? ops[i].Outputs.OfType<Value>() : []);
        }

        Op gradient = ops[last];
        return gradient.Reads.Any(late.Contains)
            ? ops
            : [.. ops.Take(first), .. before, gradient with { Outputs = [.. gradient.Outputs, recomputed.Output] }, .. after, .. ops.Skip(last + 1)];
    }
}
