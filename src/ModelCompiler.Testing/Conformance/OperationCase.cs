using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Conformance;

/// <summary>The handles of one run by the names of the operands.</summary>
internal sealed class Handles
{
    private readonly Dictionary<string, Tensor> tensors = [];

    public Tensor this[string name]
    {
        get => tensors[name];
        set => tensors[name] = value;
    }
}

/// <summary>One operation at one size: its tensors, the call, and the documented ways to run in place.</summary>
internal sealed record OperationCase(string Operation, Operand[] Operands, Action<IBackend, Handles> Call)
{
    public Step Step { get; init; } = new(Batch: 1, Sequence: 1, LossScale: 0.5);

    /// <summary>Computes the derived operands on Reference.</summary>
    public Action<IBackend, Handles>? Prepare { get; init; }

    /// <summary>In-place forms, each "output=input" or several of them with commas.</summary>
    public string[] InPlace { get; init; } = [];

    /// <summary>Error allowed, relative to an element's magnitude plus the tensor's.</summary>
    public double Tolerance { get; init; } = 2e-6;

    public override string ToString() => $"{Operation}({string.Join(", ", Operands.Select(o => $"{o.Name} [{o.Rows}, {o.Columns}]"))})";
}
