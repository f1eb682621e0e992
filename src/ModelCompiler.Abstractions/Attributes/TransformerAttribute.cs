namespace ModelCompiler;

/// <summary>Declares a partial class as a decoder-only transformer language model.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TransformerAttribute : Attribute
{
    /// <summary>Number of token ids.</summary>
    public int Vocabulary { get; set; }

    /// <summary>Width of the residual stream (hidden size).</summary>
    public int Width { get; set; }

    /// <summary>Longest sequence, in tokens.</summary>
    public int Context { get; set; }
}

/// <summary>The token embedding table, [vocabulary, width].</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TokenEmbeddingAttribute : Attribute
{
    /// <summary>Whether the output head uses the same table.</summary>
    public bool Tied { get; set; }

    /// <summary>Factor on the embedding; Gemma uses the square root of the width. 1 when not given.</summary>
    public float Scale { get; set; } = 1;
}

/// <summary>Learned absolute positions, [context, width], added to the token embedding (GPT-2).</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LearnedPositionsAttribute : Attribute;

/// <summary>The output head, hidden states to logits. Without it: no bias and no soft cap.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class HeadAttribute : Attribute
{
    /// <summary>Whether the head has a bias, [vocabulary].</summary>
    public bool Bias { get; set; }

    /// <summary>Logits become cap·tanh(logits / cap) (Gemma 2). 0: no cap.</summary>
    public float SoftCap { get; set; }
}

/// <summary>The repeated layer of the transformer. Its sublayers run in the order they are declared.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class BlockAttribute : Attribute
{
    /// <summary>Number of layers.</summary>
    public int Repeat { get; set; }

    /// <summary>All sublayers read the block's input and are added to it together (GPT-J, Falcon).</summary>
    public bool Parallel { get; set; }

    /// <summary>The norm follows the residual add instead of preceding the sublayer (the original transformer).</summary>
    public bool PostNorm { get; set; }
}
