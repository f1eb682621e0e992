namespace ModelCompiler.Generators.Tests.Testing;

/// <summary>Descriptions that tests start from.</summary>
internal static class Sources
{
    /// <summary>A small Llama with nothing wrong with it.</summary>
    public const string Tiny = """
        [Transformer(Vocabulary = 512, Width = 64, Context = 128)]
        [TokenEmbedding(Tied = true)]
        public partial class Tiny
        {
            [Block(Repeat = 5)]
            public partial class Layer
            {
                [RmsNorm]
                [Attention(Heads = 8, KeyValueHeads = 4), Rotary]
                public partial Attention Attention { get; }

                [RmsNorm(Epsilon = 1e-6f)]
                [SwiGlu(Hidden = 172)]
                public partial FeedForward FeedForward { get; }
            }
        }

        """;

    /// <summary>A small GPT-2: no gate, no rotary positions.</summary>
    public const string TinyGpt = """
        [Transformer(Vocabulary = 3, Width = 48, Context = 11)]
        [TokenEmbedding, LearnedPositions]
        public partial class TinyGpt
        {
            [Block(Repeat = 3)]
            public partial class Layer
            {
                [LayerNorm]
                [Attention(Heads = 3, Bias = true, OutputBias = true)]
                public partial Attention Attention { get; }

                [LayerNorm]
                [Gelu(Hidden = 192)]
                public partial FeedForward FeedForward { get; }
            }
        }

        """;

    /// <summary>A recipe over <see cref="Tiny"/>.</summary>
    public const string TinyLora = """
        [FineTune<Tiny>]
        [Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Value)]
        public partial class TinyLora;

        """;
}
