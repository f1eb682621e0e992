namespace ModelCompiler.Models;

/// <summary>Phi-3 mini 4k (microsoft/Phi-3-mini-4k-instruct). Its sliding window of 2,047 tokens is not expressed: exact for sequences up to that.</summary>
[Transformer(Vocabulary = 32_064, Width = 3072, Context = 4096)]
[TokenEmbedding]
public partial class Phi3_Mini
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
        [SwiGlu(Hidden = 8192)]
        public partial FeedForward FeedForward { get; }
    }
}
