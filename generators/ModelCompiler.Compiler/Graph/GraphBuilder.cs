using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Graph;

/// <summary>Appends operations to a region; shapes are inferred, and checked, as each is built.</summary>
public sealed class GraphBuilder
{
    private readonly List<Op> _ops = [];
    private string? _section;

    /// <summary>Starts a group in the generated text.</summary>
    public void Section(string name) => _section = name;

    /// <summary>Appends an operation with one output that anybody reads.</summary>
    /// <exception cref="ShapeException">The inputs do not fit the operation.</exception>
    public Value Add(string name, Operation row, params Value[] inputs) => AddMany([name], row, inputs)[0];

    /// <summary>Appends an operation.</summary>
    /// <exception cref="ShapeException">The inputs do not fit the operation.</exception>
    public Value[] AddMany(string[] names, Operation row, params Value[] inputs)
    {
        Value[] outputs = row.Infer(inputs).Zip(names, (shape, name) => new Value(name, shape, ValueKind.Computed)).ToArray();
        _ops.Add(new Op(row, inputs, outputs) { Section = _section });
        _section = null;
        return outputs;
    }

    /// <summary>The region built.</summary>
    public Region Build(Value? input, Value? output) => new(_ops.ToArray(), input, output);
}

/// <summary>The inputs of an operation do not fit it. Validation reports every such description before; this is the net below.</summary>
public sealed class ShapeException(string message) : Exception(message)
{
    public static void Require(bool condition, string row, params Value[] inputs)
    {
        if (!condition)
        {
            throw new ShapeException($"{row} cannot take {string.Join(", ", inputs.Select(i => i.ToString()))}");
        }
    }
}
