namespace ModelCompiler.Tests.Models;

/// <summary>GPT-2 in miniature.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding, LearnedPositions]
public partial class ClosedFormGpt2
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 3, Bias = true, OutputBias = true)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [Gelu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Llama with grouped heads and a tied head.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding(Tied = true)]
public partial class ClosedFormGroupedTied
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Llama with a head of its own.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormUntied
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Both sublayers read the block's input.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormParallel
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2, Parallel = true)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>The norm follows the residual add; another one stays before the head.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[RmsNorm]
[TokenEmbedding]
public partial class ClosedFormPostNorm
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2, PostNorm = true)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Half of each head rotates.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormPartialRotary
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary(Width = 4, Theta = 500)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Gemma's feed-forward and scaled embedding.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding(Tied = true, Scale = 4.89897949f)]
public partial class ClosedFormGegluScaledEmbedding
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [GeGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Qwen2's biases.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormAttentionBias
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2, Bias = true), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>A head with bias and soft cap.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
[Head(Bias = true, SoftCap = 1.5f)]
public partial class ClosedFormSoftCap
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>A learned factor per channel on each sublayer.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormLayerScale
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary]
        [LayerScale]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        [LayerScale]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Heads that do not divide the width.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormHeadWidth
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 5, KeyValueHeads = 1, HeadWidth = 4), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Qwen3's norms of queries and keys.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormQueryKeyNorm
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2), Rotary, QueryKeyNorm]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Llama 3.1's scaled positions.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ClosedFormScaledRotary
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 3), Rotary(Scaling = RotaryScaling.Llama3, Factor = 8, OriginalContext = 128)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Many pieces at once.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding(Tied = true, Scale = 2f)]
[Head(SoftCap = 2f)]
public partial class ClosedFormCombined
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 3, Parallel = true)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 4, KeyValueHeads = 1, Bias = true, OutputBias = true), Rotary(Width = 4)]
        [LayerScale]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [GeGlu(Hidden = 40, Bias = true)]
        [LayerScale]
        public partial FeedForward FeedForward { get; }
    }
}
