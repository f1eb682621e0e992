namespace ModelCompiler.Models;

/// <summary>
/// Falcon 40B (tiiuae/falcon-40b): attention and feed-forward side by side, each behind a norm of its own, 8 key heads for 128 query
/// heads. For planning memory: its checkpoint has query, key and value in one tensor, which the loader does not take apart.
/// </summary>
[Transformer(Vocabulary = 65_024, Width = 8192, Context = 2048)]
[TokenEmbedding(Tied = true)]
public partial class Falcon_40B
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 60, Parallel = true)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 128, KeyValueHeads = 8), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [Gelu(Hidden = 32_768, Bias = false)]
        public partial FeedForward FeedForward { get; }
    }
}
