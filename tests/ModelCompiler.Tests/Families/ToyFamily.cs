using System.Runtime.CompilerServices;
using ModelCompiler.HuggingFace.Config;
using ModelCompiler.HuggingFace.Families;

namespace ModelCompiler.Tests.Families;

/// <summary>A family of another assembly: it stores w - 1 of its norms, keys and values as one tensor, and one transposed weight.</summary>
internal sealed class ToyFamily : CheckpointFamily
{
    private const string Layer = "toy.blocks.{0}.";

    public override string ModelType => "toy";

    public override string ModelClass => "ToyForCausalLM";

    public override string Prefix => "toy.";

    public override IReadOnlyList<CheckpointModule> Modules { get; } =
    [
        new("toy.tokens", "TokenEmbedding"),
        new(Layer + "norm_a", "Attention.Norm") { Offset = 1 },
        new(Layer + "q", "Attention.Query"),
        new(Layer + "kv", "Attention.Key", "Attention.Value"),
        new(Layer + "o", "Attention.Output"),
        new(Layer + "norm_f", "FeedForward.Norm") { Offset = 1 },
        new(Layer + "gate", "FeedForward.Gate"),
        new(Layer + "up", "FeedForward.Up"),
        new(Layer + "down", "FeedForward.Down") { Transposed = true },
        new("toy.norm", "FinalNorm") { Offset = 1 },
        new("head", "Head"),
    ];

    public override bool Computes(DescribedShape shape) => shape.IsLlamaLike && shape.Value("vocab_size") == "31";

    public override bool IsWeight(string tensor) => tensor.EndsWith(".weight", StringComparison.Ordinal);

    [ModuleInitializer]
    internal static void Initialize() => Register(new ToyFamily());
}

/// <summary>A description that the toy family computes, and Llama too.</summary>
[Transformer(Vocabulary = 31, Width = 24, Context = 16)]
[TokenEmbedding]
public partial class ToyModel
{
    /// <summary>One of the layers.</summary>
    [Block(Repeat = 2)]
    public partial class Layer
    {
        /// <summary>Attention.</summary>
        [RmsNorm]
        [Attention(Heads = 4, KeyValueHeads = 2), Rotary]
        public partial Attention Attention { get; }

        /// <summary>The gated feed-forward layer.</summary>
        [RmsNorm]
        [SwiGlu(Hidden = 40)]
        public partial FeedForward FeedForward { get; }
    }
}
