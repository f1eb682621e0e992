using System.Runtime.CompilerServices;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>
/// Phi-3 and Phi-4: Transformers' <c>phi3</c>. It computes what Llama does, as which a description is saved that was not loaded from a Phi-3; queries, keys and values are
/// one tensor, and so are gate and up.
/// </summary>
internal sealed class Phi3 : Llama
{
    public override string ModelType => "phi3";

    public override string ModelClass => "Phi3ForCausalLM";

    public override bool IsPreferred => false;

    public override IReadOnlyList<CheckpointModule> Modules { get; } =
    [
        new("model.embed_tokens", "TokenEmbedding"),
        new(Layer + "input_layernorm", "Attention.Norm"),
        new(Layer + "self_attn.qkv_proj", "Attention.Query", "Attention.Key", "Attention.Value"),
        new(Layer + "self_attn.o_proj", "Attention.Output"),
        new(Layer + "post_attention_layernorm", "FeedForward.Norm"),
        new(Layer + "mlp.gate_up_proj", "FeedForward.Gate", "FeedForward.Up"),
        new(Layer + "mlp.down_proj", "FeedForward.Down"),
        new("model.norm", "FinalNorm"),
        new("lm_head", "Head"),
    ];

    public override IReadOnlyList<ParameterOption> Options => [];

    public override IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string> { ["rms_norm_eps"] = "1e-05" };

    // The code that old folders name as their own is what became Transformers' class.
    public override IReadOnlyList<string> Unread => ["auto_map"];

    [ModuleInitializer]
    internal static new void Initialize() => Register(new Phi3());
}
