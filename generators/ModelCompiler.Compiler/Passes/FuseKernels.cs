using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Replaces pairs of operations by execution-only rows that have no gradient, so it runs after differentiation: a linear and the
/// low-rank term that accumulates onto it, forward and backward.
/// </summary>
public static class FuseKernels
{
    /// <summary>Runs the pass over one region's operations.</summary>
    /// <param name="ops">The operations, in order.</param>
    /// <param name="otherReaders">Whether something outside these operations reads a value.</param>
    public static Op[] Run(Op[] ops, Func<Value, bool> otherReaders)
    {
        var result = ops.ToList();
        for (int i = 0; i < result.Count; i++)
        {
            Op second = result[i];
            if (second.Accumulator is not { } link || otherReaders(link))
            {
                continue;
            }

            Op? first = result.Find(o => o.Outputs.Contains(link));
            if (first is null || result.Exists(o => !ReferenceEquals(o, second) && o.Reads.Contains(link)))
            {
                continue;
            }

            Op? fused = (first.Operation, second.Operation) switch
            {
                (Linear, Linear) when first.Scale is null && second.Scale is not null && second.Inputs.Length == 2 =>
                    new Op(new LowRankLinear(), [first.Inputs[0], first.Inputs[1], second.Inputs[0], second.Inputs[1], .. first.Inputs.Skip(2)], second.Outputs)
                    {
                        Scale = second.Scale,
                        Accumulator = first.Accumulator,
                        Section = first.Section,
                        Recomputed = first.Recomputed,
                    },
                (LinearGradientInput, LinearGradientInput) when first.Scale is null && second.Scale is null && IsAdapterInput(first) && !IsAdapterInput(second) =>
                    new Op(new LowRankLinearGradientInput(), [second.Inputs[0], second.Inputs[1], first.Inputs[0], first.Inputs[1]], second.Outputs)
                    {
                        Accumulator = first.Accumulator,
                        Section = first.Section,
                    },
                _ => null,
            };
            if (fused is not null)
            {
                result[i] = fused;
                result.Remove(first);
                i--;
            }
        }

        return result.ToArray();
    }

    private static bool IsAdapterInput(Op op) => op.Inputs[1].Parameter is { Slot: >= 0 };
}
