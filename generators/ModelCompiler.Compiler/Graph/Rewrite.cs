namespace ModelCompiler.Compiler.Graph;

/// <summary>Recomputes a region operation by operation, with values standing in for others.</summary>
public sealed class Rewrite(bool training)
{
    private readonly Dictionary<Value, Value> _standIns = [];
    private readonly List<Op> _ops = [];

    /// <summary>Whether the region will be differentiated; generation needs no dropout.</summary>
    public bool Training { get; } = training;

    /// <summary>The value that stands for another now.</summary>
    public Value Of(Value value) => _standIns.TryGetValue(value, out Value? other) ? other : value;

    /// <summary>From here on, readers of one value read another.</summary>
    public void Replace(Value value, Value by) => _standIns[value] = by;

    /// <summary>Appends an operation with its inputs replaced.</summary>
    public Op Keep(Op op)
    {
        var kept = op with { Inputs = op.Inputs.Select(Of).ToArray(), Accumulator = op.Accumulator is null ? null : Of(op.Accumulator) };
        _ops.Add(kept);
        return kept;
    }

    /// <summary>Appends a new operation with one output.</summary>
    public Value Add(string name, Operation row, Value[] inputs, Value? accumulator = null, ScalarRef? scale = null)
    {
        var output = new Value(name, row.Infer(inputs)[0], ValueKind.Computed);
        _ops.Add(new Op(row, inputs, [output]) { Accumulator = accumulator, Scale = scale });
        return output;
    }

    /// <summary>The output of the same operation over the same inputs where there is one, as adapters on one value need the same of it; else of a new one.</summary>
    public Value Share(string name, Operation row, Value[] inputs) =>
        _ops.Find(op => op.Operation == row && op.Accumulator is null && op.Inputs.SequenceEqual(inputs))?.Output ?? Add(name, row, inputs);

    /// <summary>Takes the bias from the linear that makes a value, for an adapter that changes what is before it.</summary>
    /// <returns>The linear's weight, and its bias; null where it has none.</returns>
    public (Value Weight, Value? Bias) TakeBias(Value y)
    {
        int made = _ops.FindIndex(op => op.Outputs.Contains(y));
        Value[] inputs = _ops[made].Inputs;
        _ops[made] = _ops[made] with { Inputs = [inputs[0], inputs[1]] };
        return (inputs[1], inputs.Length > 2 ? inputs[2] : null);
    }

    /// <summary>The region recomputed.</summary>
    public Region Build(Region from) => new(_ops.ToArray(), from.Input, from.Output is null ? null : Of(from.Output));
}
