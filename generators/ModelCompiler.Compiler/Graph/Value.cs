using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Graph;

/// <summary>The shape of a value. Everything is two-dimensional; heads are attributes of attention.</summary>
public readonly record struct Shape(Dim Rows, Dim Columns)
{
    public override string ToString() => $"[{Rows}, {Columns}]";
}

/// <summary>What a value is.</summary>
public enum ValueKind
{
    /// <summary>Made by an operation.</summary>
    Computed,

    /// <summary>The residual stream, or its gradient, coming into a region.</summary>
    Carried,

    /// <summary>A parameter of the model.</summary>
    Parameter,

    /// <summary>A buffer the runtime fills or owns: token ids, targets, the loss, a cache.</summary>
    External,
}

/// <summary>A value of the graph, in static single assignment form: one producer, identity by reference.</summary>
public sealed class Value(string name, Shape shape, ValueKind kind, ParameterInfo? parameter = null)
{
    /// <summary>What the value is called in the description's terms; the name pass makes it unique in its frame.</summary>
    public string Name { get; } = name;

    public Shape Shape { get; } = shape;

    public ValueKind Kind { get; } = kind;

    /// <summary>The table row of a parameter.</summary>
    public ParameterInfo? Parameter { get; } = parameter;

    public override string ToString() => $"{Name} {Shape}";
}
