using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Recomputes forward values in backward instead of keeping them: the operation that made the value is cloned before its first
/// use, with whatever operations it needs itself. The next prune finds that less is saved. Selective recomputes what is cheap, and of that
/// no statistics of norms, which are one or two numbers a row; block recomputes everything, so that backward reads forward's input alone.
/// </summary>
public static class Rematerialize
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
                Inputs = op.Inputs.Select(Recomputed).ToArray(),
                Accumulator = op.Accumulator is null ? null : Recomputed(op.Accumulator),
            });
        }

        return backward with { Ops = ops.ToArray() };

        Value Recomputed(Value value)
        {
            if (clones.TryGetValue(value, out Value? clone))
            {
                return clone;
            }

            if (!producers.TryGetValue(value, out Op? producer) || !Permits(producer, value))
            {
                return value;
            }

            Value[] inputs = producer.Inputs.Select(Recomputed).ToArray();
            Value? accumulator = producer.Accumulator is null ? null : Recomputed(producer.Accumulator);
            Value?[] outputs = producer.Outputs.Select((o, i) => i == 0 || policy == Checkpointing.Block ? Clone(o) : null).ToArray();
            ops.Add(producer with { Inputs = inputs, Accumulator = accumulator, Outputs = outputs, Declared = policy == Checkpointing.Block ? producer.Declared : outputs, Recomputed = true, Section = null });
            return clones[value];
        }

        Value? Clone(Value? output)
        {
            if (output is null)
            {
                return null;
            }

            // Where all of forward is recomputed there is no other value of the name.
            var clone = new Value(policy == Checkpointing.Block ? output.Name : output.Name + "Recomputed", output.Shape, ValueKind.Computed);
            clones.Add(output, clone);
            return clone;
        }

        bool Permits(Op producer, Value value) => policy == Checkpointing.Block
            || (ReferenceEquals(value, producer.Outputs[0]) && !ReferenceEquals(value, forward.Output) && producer.Accumulator is null
                && (producer.Operation.Recompute == Recompute.Always || (producer.Operation.Recompute == Recompute.Cheap && policy == Checkpointing.Selective)));
    }
}
