namespace ModelCompiler.Tests.Families;

/// <summary>The Phi-3 of family-phi3.json.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class TinyPhi3
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention, by another name than the families know.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2), Rotary]
        public partial Attention Mixer { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward Gated { get; }
    }
}

/// <summary>LoRA on all that qkv_proj holds, by the fixture's rank and scale.</summary>
[FineTune<TinyPhi3>]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Key | Projections.Value)]
public partial class TinyPhi3Lora;

/// <summary>LoRA of two ranks and scales on some of what the fused modules hold.</summary>
[FineTune<TinyPhi3>]
[Lora(Rank = 3, Alpha = 6, Targets = Projections.Query | Projections.Up | Projections.Down)]
[Lora(Rank = 2, Alpha = 8, Targets = Projections.Value | Projections.Gate)]
public partial class TinyPhi3LoraSome;

/// <summary>DoRA on all that qkv_proj holds.</summary>
[FineTune<TinyPhi3>]
[Dora(Rank = 2, Alpha = 4, Targets = Projections.Query | Projections.Key | Projections.Value)]
public partial class TinyPhi3Dora;

/// <summary>DoRA on some of it, which the fused module cannot say.</summary>
[FineTune<TinyPhi3>]
[Dora(Rank = 2, Alpha = 4, Targets = Projections.Query)]
public partial class TinyPhi3DoraSome;

/// <summary>L1RA, whose ranks move, on part of a fused module.</summary>
[FineTune<TinyPhi3>]
[L1ra(Rank = 4, Alpha = 8, GateRate = 0.05, Targets = Projections.Query | Projections.Value)]
public partial class TinyPhi3L1ra;

/// <summary>Weights in 4 bits.</summary>
[FineTune<TinyPhi3>]
[Frozen(Storage.NF4, BlockSize = 32)]
[Lora(Rank = 2, Targets = Projections.Query)]
public partial class TinyPhi3Nf4;

/// <summary>Weights in 4 bits whose factors are quantized over the whole tensor.</summary>
[FineTune<TinyPhi3>]
[Frozen(Storage.NF4, BlockSize = 32, DoubleQuantized = true)]
[Lora(Rank = 2, Targets = Projections.Query)]
public partial class TinyPhi3Nested;

/// <summary>The GPT-2 of family-gpt2.json.</summary>
[Transformer(Vocabulary = 29, Width = 24, Context = 16)]
[TokenEmbedding(Tied = true), LearnedPositions]
public partial class TinyGpt2
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 3, Bias = true, OutputBias = true)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [Gelu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>LoRA on all that c_attn holds, by the fixture's rank and scale.</summary>
[FineTune<TinyGpt2>]
[Lora(Rank = 4, Alpha = 8, Targets = Projections.Query | Projections.Key | Projections.Value)]
public partial class TinyGpt2Lora;

/// <summary>LoRA on some of what c_attn holds, and on one of the two modules that are called c_proj.</summary>
[FineTune<TinyGpt2>]
[Lora(Rank = 3, Alpha = 6, Targets = Projections.Query | Projections.Output)]
[Lora(Rank = 2, Alpha = 8, Targets = Projections.Value | Projections.Up)]
public partial class TinyGpt2LoraSome;

/// <summary>Weights in 4 bits.</summary>
[FineTune<TinyGpt2>]
[Frozen(Storage.NF4, BlockSize = 32)]
[Lora(Rank = 2, Targets = Projections.Query)]
public partial class TinyGpt2Nf4;

/// <summary>GPT-2, 124 million parameters, as its config.json says.</summary>
[Transformer(Vocabulary = 50_257, Width = 768, Context = 1024)]
[TokenEmbedding(Tied = true), LearnedPositions]
public partial class Gpt2Small
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 12)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [LayerNorm]
        [Attention(Heads = 12, Bias = true, OutputBias = true)]
        public partial Attention Attention { get; }

        /// <summary>The feed-forward layer.</summary>
        [LayerNorm]
        [Gelu(Hidden = 3072)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Phi-4 (14B), as its config.json says.</summary>
[Transformer(Vocabulary = 100_352, Width = 5120, Context = 16_384)]
[TokenEmbedding]
public partial class Phi4
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 40)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 40, KeyValueHeads = 10), Rotary(Theta = 250_000)]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 17_920)]
        public partial FeedForward FeedForward { get; }
    }
}
