using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Rebuilds forward values in backward instead of keeping them: the operation that made the value is cloned before its first
/// use, with whatever cheap operations it needs itself. The next prune finds that less is saved. Statistics of norms are one or two
/// numbers a row and stay.
/// </summary>
public static class Rematerialise
{
    /// <summary>Runs the pass.</summary>
    public static Region Run(Region forward, Region backward, Checkpointing policy)
    {
        var producers = new Dictionary<Value, Op>();
        foreach (Op op in forward.Ops)
        {
            foreach (Value output in op.Outputs.OfType<Value>())
            {
                producers[output] = op;
            }
        }

        var clones = new Dictionary<Value, Value>();
        var ops = new List<Op>();
        foreach (Op op in backward.Ops)
        {
            ops.Add(op with
            {
                Inputs = op.Inputs.Select(Rebuilt).ToArray(),
                Accumulator = op.Accumulator is null ? null : Rebuilt(op.Accumulator),
            });
        }

        return backward with { Ops = ops.ToArray() };

        Value Rebuilt(Value value)
        {
            if (clones.TryGetValue(value, out Value? clone))
            {
                return clone;
            }

            if (!producers.TryGetValue(value, out Op? producer) || !ReferenceEquals(value, producer.Outputs[0])
                || ReferenceEquals(value, forward.Output) || !Permits(producer, policy))
            {
                return value;
            }

            Value[] inputs = producer.Inputs.Select(Rebuilt).ToArray();
            var rebuilt = new Value(value.Name + "Rebuilt", value.Shape, ValueKind.Computed);
            Value?[] outputs = producer.Outputs.Select((_, i) => i == 0 ? rebuilt : null).ToArray();
            ops.Add(producer with { Inputs = inputs, Outputs = outputs, Recomputed = true, Section = null });
            clones.Add(value, rebuilt);
            return rebuilt;
        }
    }

    private static bool Permits(Op producer, Checkpointing policy) => producer.Accumulator is null && producer.Row.Recompute switch
    {
        Recompute.Always => true,
        Recompute.Cheap => policy == Checkpointing.Selective,
        _ => false,
    };
}
