using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Keeps what reaches a trainable parameter's gradient or the gradient that the layer below wants, and nothing else: no dW of a
/// frozen weight, no backward below the lowest adapter. What backward still reads of forward is what is saved.
/// </summary>
public static class Prune
{
    /// <summary>Runs the pass over a region's forward and backward.</summary>
    /// <param name="forward">Forward; its operations all stay, their unread outputs become none.</param>
    /// <param name="backward">Backward; null where the variant has none.</param>
    /// <param name="wantsInputGradient">Whether the layer below needs the gradient of this region's input.</param>
    public static (Region Forward, Region? Backward) Run(Region forward, Region? backward, bool wantsInputGradient)
    {
        var needed = new HashSet<Value>();
        if (backward is not null && wantsInputGradient && backward.Output is not null)
        {
            needed.Add(backward.Output);
        }

        Region? prunedBackward = backward is null
            ? null
            : backward with { Ops = Keep(backward.Ops, needed), Output = wantsInputGradient ? backward.Output : null };
        if (prunedBackward is { Ops.Length: 0 } && !wantsInputGradient)
        {
            prunedBackward = null;
        }

        if (forward.Output is not null)
        {
            needed.Add(forward.Output);
        }

        return (forward with { Ops = Keep(forward.Ops, needed, all: true) }, prunedBackward);
    }

    private static Op[] Keep(Op[] ops, HashSet<Value> needed, bool all = false)
    {
        var kept = new List<Op>();
        for (int i = ops.Length - 1; i >= 0; i--)
        {
            Op op = ops[i];
            bool root = op.GradientOf?.Parameter?.Trainable == true;
            if (!all && !root && !op.Outputs.Any(o => o is not null && needed.Contains(o)))
            {
                continue;
            }

            needed.UnionWith(op.Reads);
            kept.Add(op with { Outputs = op.Outputs.Select((o, k) => o is not null && (needed.Contains(o) || (all && k == 0)) ? o : null).ToArray() });
        }

        kept.Reverse();
        return kept.ToArray();
    }
}
