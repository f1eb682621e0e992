namespace ModelCompiler.Models;

/// <summary>Karpathy's stories260K: a Llama of 260,032 parameters that writes children's stories.</summary>
[Transformer(Vocabulary = 512, Width = 64, Context = 512)]
[TokenEmbedding(Tied = true)]
public partial class Stories260K
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 5)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 8, KeyValueHeads = 4), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 172)]
        public partial FeedForward FeedForward { get; }
    }
}
