namespace ModelCompiler.Models;

/// <summary>Qwen3 0.6B (Qwen/Qwen3-0.6B).</summary>
[Transformer(Vocabulary = 151_936, Width = 1024, Context = 40_960)]
[TokenEmbedding(Tied = true)]
public partial class Qwen3_0_6B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 28)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm(Epsilon = 1e-6f)]
        [Attention(Heads = 16, KeyValueHeads = 8, HeadWidth = 128), Rotary(Theta = 1_000_000), QueryKeyNorm(Epsilon = 1e-6f)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm(Epsilon = 1e-6f)]
        [SwiGlu(Hidden = 3072)]
        public partial FeedForward FeedForward { get; }
    }
}
