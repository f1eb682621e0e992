namespace ModelCompiler;

/// <summary>The linear projections of a block (and the output head) that can carry an adapter.</summary>
[Flags]
public enum Projections
{
    /// <summary>No projection.</summary>
    None = 0,

    /// <summary>The query projection of attention.</summary>
    Query = 1,

    /// <summary>The key projection of attention.</summary>
    Key = 2,

    /// <summary>The value projection of attention.</summary>
    Value = 4,

    /// <summary>The output projection of attention.</summary>
    Output = 8,

    /// <summary>The gate projection of a gated feed-forward layer.</summary>
    Gate = 16,

    /// <summary>The up projection of a feed-forward layer.</summary>
    Up = 32,

    /// <summary>The down projection of a feed-forward layer.</summary>
    Down = 64,

    /// <summary>The output head: hidden states to logits.</summary>
    Head = 128,

    /// <summary>All four projections of attention.</summary>
    Attention = Query | Key | Value | Output,

    /// <summary>All projections of the feed-forward layer.</summary>
    FeedForward = Gate | Up | Down,

    /// <summary>Every linear projection of every block; the head is not among them (PEFT's "all-linear").</summary>
    All = Attention | FeedForward,
}
