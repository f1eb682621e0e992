using ModelCompiler.Torch.Peers;

namespace ModelCompiler.Torch.Tests;

/// <summary>A Llama of three layers, grouped heads, tied head.</summary>
[Transformer(Vocabulary = 96, Width = 48, Context = 64)]
[TokenEmbedding(Tied = true)]
public partial class SmallLlama
{
    internal static LlamaSize Size => new(Vocabulary: 96, Width: 48, Layers: 3, Heads: 6, KeyValueHeads: 2, Hidden: 100);

    [Block(Repeat = 3)]
    public partial class Layer
    {
        [RmsNorm]
        [Attention(Heads = 6, KeyValueHeads = 2), Rotary]
        public partial Attention Attention { get; }

        [RmsNorm]
        [SwiGlu(Hidden = 100)]
        public partial FeedForward FeedForward { get; }
    }
}

/// <summary>Adapters from the second layer on, with dropout.</summary>
[FineTune<SmallLlama>]
[Lora(Rank = 4, Dropout = 0.1f, FirstLayer = 1)]
public partial class SmallLlamaLora;

/// <summary>The same over quantized weights.</summary>
[FineTune<SmallLlama>]
[Frozen(Storage.NF4, BlockSize = 32)]
[Lora(Rank = 4)]
public partial class SmallLlamaNf4;
