namespace ModelCompiler.Models;

/// <summary>Llama 3 8B (meta-llama/Meta-Llama-3-8B).</summary>
[Transformer(Vocabulary = 128_256, Width = 4096, Context = 8192)]
[TokenEmbedding]
public partial class Llama3_8B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 32)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 32, KeyValueHeads = 8), Rotary(Theta = 500_000)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 14_336)]
        public partial FeedForward FeedForward { get; }
    }
}
