namespace ModelCompiler.Data;

/// <summary>What to do with a row that is longer than the context.</summary>
public enum Truncation
{
    /// <summary>Drop it, naming its line.</summary>
    Drop,

    /// <summary>Leave its end out.</summary>
    Truncate,

    /// <summary>Make several examples of it where it has no prompt; drop it where it has one.</summary>
    Split,
}

/// <summary>How rows become examples.</summary>
public sealed record ExampleOptions
{
    /// <summary>The most positions an example may have.</summary>
    public required int Context { get; init; }

    /// <summary>The model's vocabulary; ids at or above it are refused.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>What to do with longer rows.</summary>
    public Truncation Truncation { get; init; } = Truncation.Drop;

    /// <summary>How many rows may be dropped because nothing can be learned from them; with more the data is refused.</summary>
    public DropLimit MaximumDropped { get; init; } = DropLimit.Default;

    /// <summary>Whether the tokenizer's begin-of-text token, if it has one, comes first.</summary>
    public bool MarksBegin { get; init; } = true;

    /// <summary>Whether the tokenizer's end-of-text token, if it has one, comes last and is learned.</summary>
    public bool MarksEnd { get; init; } = true;
}
