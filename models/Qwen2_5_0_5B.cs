namespace ModelCompiler.Models;

/// <summary>Qwen2.5 0.5B (Qwen/Qwen2.5-0.5B).</summary>
[Transformer(Vocabulary = 151_936, Width = 896, Context = 32_768)]
[TokenEmbedding(Tied = true)]
public partial class Qwen2_5_0_5B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 24)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm(Epsilon = 1e-6f)]
        [Attention(Heads = 14, KeyValueHeads = 2, Bias = true), Rotary(Theta = 1_000_000)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm(Epsilon = 1e-6f)]
        [SwiGlu(Hidden = 4864)]
        public partial FeedForward FeedForward { get; }
    }
}
