namespace ModelCompiler.Models;

/// <summary>Mistral 7B v0.3 (mistralai/Mistral-7B-v0.3), the version without a sliding window.</summary>
[Transformer(Vocabulary = 32_768, Width = 4096, Context = 32_768)]
[TokenEmbedding]
public partial class Mistral_7B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 32)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 32, KeyValueHeads = 8), Rotary(Theta = 1_000_000)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 14_336)]
        public partial FeedForward FeedForward { get; }
    }
}
