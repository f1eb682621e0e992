namespace ModelCompiler.Models;

/// <summary>Llama 2 7B (meta-llama/Llama-2-7b-hf).</summary>
[Transformer(Vocabulary = 32_000, Width = 4096, Context = 4096)]
[TokenEmbedding]
public partial class Llama2_7B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 32)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 32), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 11_008)]
        public partial FeedForward FeedForward { get; }
    }
}
