namespace ModelCompiler.Adapters;

/// <summary>Options of QA-LoRA (Xu et al. 2023).</summary>
public sealed record QaLoraOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "QA-LoRA";

    /// <summary>Inputs in a group, a divisor of all inputs; 0: the block size of the Int4 storage.</summary>
    public int GroupSize { get; init; }

    /// <inheritdoc/>
    public override bool NeedsMoreThanProducts => false;
}
