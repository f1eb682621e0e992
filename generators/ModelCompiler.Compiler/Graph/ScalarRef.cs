namespace ModelCompiler.Compiler.Graph;

/// <summary>A scalar operand whose value is known only to the plan or the step.</summary>
/// <param name="Slot">The adapter slot it belongs to.</param>
/// <param name="Kind">Which scalar.</param>
public sealed record ScalarRef(AdapterSlot Slot, ScalarKind Kind);

/// <summary>Scalars of an adapter slot.</summary>
public enum ScalarKind
{
    /// <summary>The factor s of the adapter's term.</summary>
    Scale,

    /// <summary>The probability of dropping an input element; 0 outside training.</summary>
    DropoutRate,

    /// <summary>The key of the slot's dropout mask in this micro-step.</summary>
    DropoutKey,
}

/// <summary>A projection that carries an adapter.</summary>
/// <param name="Index">Its index among the model's slots.</param>
/// <param name="Path">Path of the projection's property: "Attention.Query".</param>
/// <param name="Name">What its values are called after: "Query", or "Query2" where it is the second projection of that name in the block.</param>
public sealed record AdapterSlot(int Index, string Path, string Name);
