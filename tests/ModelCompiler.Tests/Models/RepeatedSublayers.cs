namespace ModelCompiler.Tests.Models;

/// <summary>Two sublayers of each kind in a block.</summary>
[Transformer(Vocabulary = 512, Width = 16, Context = 64)]
[TokenEmbedding]
public partial class RepeatedSublayers
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention with rotary positions.</summary>
        [RmsNorm, Attention(Heads = 4, KeyValueHeads = 2), Rotary, QueryKeyNorm]
        public partial LocalAttention Local { get; }

        /// <summary>The first feed-forward layer.</summary>
        [RmsNorm, SwiGlu(Hidden = 24), LayerScale]
        public partial FirstFeedForward First { get; }

        /// <summary>Attention of the same sizes without positions.</summary>
        [RmsNorm, Attention(Heads = 4, KeyValueHeads = 2), QueryKeyNorm]
        public partial GlobalAttention Global { get; }

        /// <summary>The second feed-forward layer, of the same sizes.</summary>
        [RmsNorm, SwiGlu(Hidden = 24), LayerScale]
        public partial SecondFeedForward Second { get; }
    }
}

/// <summary>LoRA on everything in it.</summary>
[FineTune<RepeatedSublayers>]
[Lora(Rank = 2, Targets = Projections.All)]
public partial class RepeatedSublayersLora;

/// <summary>DyLoRA of attention over NF4.</summary>
[FineTune<RepeatedSublayers>]
[Frozen(Storage.NF4)]
[DyLora(Rank = 4, Targets = Projections.Attention)]
public partial class RepeatedSublayersQDyLora;
