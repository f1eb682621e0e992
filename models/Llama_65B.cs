namespace ModelCompiler.Models;

/// <summary>LLaMA 65B (Touvron et al. 2023a, table 2).</summary>
[Transformer(Vocabulary = 32_000, Width = 8192, Context = 2048)]
[TokenEmbedding]
public partial class Llama_65B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 80)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 64), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 22_016)]
        public partial FeedForward FeedForward { get; }
    }
}
