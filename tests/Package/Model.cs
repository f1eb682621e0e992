using ModelCompiler;

[Transformer(Vocabulary = 16, Width = 32, Context = 16)]
[TokenEmbedding(Tied = true)]
public partial class Tiny
{
    [Block(Repeat = 2)]
    public partial class Layer
    {
        [RmsNorm]
        [Attention(Heads = 2), Rotary]
        public partial Attention Attention { get; }

        [RmsNorm]
        [SwiGlu(Hidden = 64)]
        public partial FeedForward FeedForward { get; }
    }
}

[FineTune<Tiny>]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.All)]
public partial class Tiny_Lora;
