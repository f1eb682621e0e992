namespace ModelCompiler.Tests.Models;

/// <summary>A small Llama with Llama 3.1's scaled positions.</summary>
[Transformer(Vocabulary = 32, Width = 16, Context = 64)]
[TokenEmbedding(Tied = true)]
public partial class LongLlama
{
    [Block(Repeat = 2)]
    public partial class Layer
    {
        [RmsNorm]
        [Attention(Heads = 2, KeyValueHeads = 1), Rotary(Scaling = RotaryScaling.Llama3, Factor = 4, OriginalContext = 16)]
        public partial Attention Attention { get; }

        [RmsNorm]
        [SwiGlu(Hidden = 24)]
        public partial FeedForward FeedForward { get; }
    }
}
