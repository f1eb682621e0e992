using System.Runtime.CompilerServices;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Llama 1, 2, 3 and SmolLM2: Transformers' <c>llama</c>.</summary>
internal class Llama : CheckpointFamily
{
    protected const string Layer = "model.layers.{0}.";

    /// <summary>Whether the projections of attention have biases, all four.</summary>
    protected static readonly ParameterOption AttentionBias = new("attention_bias", "Attention.Query.Bias", "Attention.Key.Bias", "Attention.Value.Bias", "Attention.Output.Bias");

    private static readonly ParameterOption s_mlpBias = new("mlp_bias", "FeedForward.Gate.Bias", "FeedForward.Up.Bias", "FeedForward.Down.Bias");

    public override string ModelType => "llama";

    public override string ModelClass => "LlamaForCausalLM";

    public override IReadOnlyList<CheckpointModule> Modules { get; } =
    [
        new("model.embed_tokens", "TokenEmbedding"),
        new(Layer + "input_layernorm", "Attention.Norm"),
        new(Layer + "self_attn.q_proj", "Attention.Query"),
        new(Layer + "self_attn.k_proj", "Attention.Key"),
        new(Layer + "self_attn.v_proj", "Attention.Value"),
        new(Layer + "self_attn.o_proj", "Attention.Output"),
        new(Layer + "post_attention_layernorm", "FeedForward.Norm"),
        new(Layer + "mlp.gate_proj", "FeedForward.Gate"),
        new(Layer + "mlp.up_proj", "FeedForward.Up"),
        new(Layer + "mlp.down_proj", "FeedForward.Down"),
        new("model.norm", "FinalNorm"),
        new("lm_head", "Head"),
    ];

    public override IReadOnlyList<ParameterOption> Options => [AttentionBias, s_mlpBias];

    public override bool Computes(DescribedShape shape) => shape.IsLlamaLike;

    [ModuleInitializer]
    internal static void Initialize() => Register(new Llama());
}
