namespace ModelCompiler.Safetensors;

/// <summary>What a reader does with NaN and infinite weights.</summary>
public enum NonFinite
{
    /// <summary>Refuses the tensor, naming the first such element.</summary>
    Reject,

    /// <summary>Passes them on.</summary>
    Allow,
}
