namespace ModelCompiler.HuggingFace.Families;

/// <summary>A module of a checkpoint: the part of its tensors' names before ".weight" or ".bias".</summary>
/// <param name="Name">Its name; "{0}" stands for the layer.</param>
/// <param name="Parts">
/// What it holds, as <see cref="Planning.ModelTables.KindPath"/> has it: "Attention.Query". Of several parts each is some rows of one tensor, in this order.
/// </param>
public sealed record CheckpointModule(string Name, params string[] Parts)
{
    /// <summary>Whether its parts have biases in every model of the family.</summary>
    public bool Bias { get; init; }

    /// <summary>Whether the weight is stored as [inputs, outputs], as GPT-2's Conv1D does.</summary>
    public bool Transposed { get; init; }

    /// <summary>What is added to a stored weight when it is read: 1 where w - 1 is stored, as in Gemma's norms.</summary>
    public float Offset { get; init; }

    /// <summary>Whether the module's name is the tensor's, without ".weight".</summary>
    public bool Bare { get; init; }
}
