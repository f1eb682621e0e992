using ModelCompiler.Backends;

namespace ModelCompiler.Testing.Conformance;

/// <summary>What an operation does with a tensor, and so how a run fills it and whether the result is compared.</summary>
internal enum Role
{
    /// <summary>Random, of the compute type.</summary>
    Input,

    /// <summary>Random, of any weight type.</summary>
    Weight,

    /// <summary>Random ids below <see cref="Operand.Limit"/>.</summary>
    Ids,

    /// <summary>What the case's preparation computes on Reference, rounded to float32; then an input.</summary>
    Derived,

    /// <summary>Overwritten: starts as NaN.</summary>
    Output,

    /// <summary>Read and written: starts random.</summary>
    Accumulator,

    /// <summary>Read and written, of <see cref="Planning.DType.UInt8"/>: starts random; may be one off, for a value between two may go either way.</summary>
    Codes,
}

/// <summary>One tensor of a case.</summary>
internal sealed record Operand(string Name, Role Role, int Rows, int Columns)
{
    /// <summary>Standard deviation of random values.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>An input that may be none.</summary>
    public bool Optional { get; init; }

    /// <summary>An output or accumulator that must be given, because the operation is nothing without it.</summary>
    public bool Required { get; init; }

    /// <summary>Random values are made positive.</summary>
    public bool Positive { get; init; }

    /// <summary>Rows have no gaps between them, also where those of other tensors do.</summary>
    public bool Contiguous { get; init; }

    /// <summary>Ids are below this.</summary>
    public int Limit { get; init; }

    /// <summary>Some ids are -100 in their place.</summary>
    public bool Ignored { get; init; }

    public bool IsResult => Role is Role.Output or Role.Accumulator or Role.Codes;

    public static Operand Input(string name, int rows, int columns, double scale = 1) => new(name, Role.Input, rows, columns) { Scale = scale };

    public static Operand Plus(int rows, int columns) => new("plus", Role.Input, rows, columns) { Optional = true };

    public static Operand Weight(string name, int rows, int columns, bool optional = false) => new(name, Role.Weight, rows, columns) { Optional = optional };

    public static Operand Ids(string name, int rows, int limit, bool ignored = false) => new(name, Role.Ids, rows, 1) { Limit = limit, Ignored = ignored };

    public static Operand Derived(string name, int rows, int columns) => new(name, Role.Derived, rows, columns);

    public static Operand Output(string name, int rows, int columns) => new(name, Role.Output, rows, columns);

    public static Operand Codes(string name, int rows, int columns) => new(name, Role.Codes, rows, columns) { Contiguous = true, Required = true };

    public static Operand Accumulator(string name, int rows, int columns) => new(name, Role.Accumulator, rows, columns);
}
