namespace ModelCompiler.Models;

/// <summary>The quickstart's model: a small Llama that knows the prose of API documentation. Its weights are in models/quickstart.</summary>
[Transformer(Vocabulary = 4096, Width = 224, Context = 256)]
[TokenEmbedding(Tied = true)]
public partial class DocsWriter
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 5)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 7), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 576)]
        public partial FeedForward FeedForward { get; }
    }
}
