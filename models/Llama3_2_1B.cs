namespace ModelCompiler.Models;

/// <summary>Llama 3.2 1B (meta-llama/Llama-3.2-1B).</summary>
[Transformer(Vocabulary = 128_256, Width = 2048, Context = 131_072)]
[TokenEmbedding(Tied = true)]
public partial class Llama3_2_1B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 16)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 32, KeyValueHeads = 8), Rotary(Theta = 500_000, Scaling = RotaryScaling.Llama3, Factor = 32)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 8192)]
        public partial FeedForward FeedForward { get; }
    }
}
