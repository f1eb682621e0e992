namespace ModelCompiler.Models;

/// <summary>minGPT's gpt-nano trained to sort six digits of three kinds: a GPT-2 in miniature, with every piece of one.</summary>
[Transformer(Vocabulary = 3, Width = 48, Context = 11)]
[TokenEmbedding, LearnedPositions]
public partial class GptNanoSort
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 3)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 3, Bias = true, OutputBias = true)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [Gelu(Hidden = 192)]
        public partial FeedForward FeedForward { get; }
    }
}
