namespace ModelCompiler.Models;

/// <summary>SmolLM2 135M (HuggingFaceTB/SmolLM2-135M).</summary>
[Transformer(Vocabulary = 49_152, Width = 576, Context = 8192)]
[TokenEmbedding(Tied = true)]
public partial class SmolLM2_135M
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 30)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 9, KeyValueHeads = 3), Rotary(Theta = 100_000)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 1536)]
        public partial FeedForward FeedForward { get; }
    }
}
