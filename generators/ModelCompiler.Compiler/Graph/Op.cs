namespace ModelCompiler.Compiler.Graph;

/// <summary>
/// One operation: D = scale · f(inputs) + C. A dead output is null. An operation that adds to a parameter's gradient has no output
/// but a <see cref="GradientOf"/>.
/// </summary>
public sealed record Op(Operation Operation, Value[] Inputs, Value?[] Outputs)
{
    /// <summary>The outputs before any was found dead, which still name the places of those that are.</summary>
    public Value?[] Declared { get; init; } = Outputs;

    /// <summary>C: a value of the output's shape that is added.</summary>
    public Value? Accumulator { get; init; }

    /// <summary>The factor on f.</summary>
    public ScalarRef? Scale { get; init; }

    /// <summary>The parameter whose gradient this operation adds to.</summary>
    public Value? GradientOf { get; init; }

    /// <summary>Whether this is a copy of a forward operation, recomputing its value in backward.</summary>
    public bool Recomputed { get; init; }

    /// <summary>First line of a group in the generated text: the sublayer it starts.</summary>
    public string? Section { get; init; }

    /// <summary>Every value the operation reads.</summary>
    public IEnumerable<Value> Reads => Accumulator is null ? Inputs : Inputs.Append(Accumulator);

    /// <summary>The only output.</summary>
    public Value Output => Outputs[0]!;
}

/// <summary>A list of operations in order, with the value that comes in and the value that goes out.</summary>
/// <param name="Ops">Topologically sorted.</param>
/// <param name="Input">The residual stream (in backward: its gradient) coming in; null in the prologue.</param>
/// <param name="Output">What goes out; null where nothing does.</param>
public sealed record Region(Op[] Ops, Value? Input, Value? Output);
