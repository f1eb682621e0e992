using System.Runtime.CompilerServices;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Qwen3, the dense ones: Transformers' <c>qwen3</c>. Each head's queries and keys have a norm.</summary>
internal sealed class Qwen3 : Llama
{
    public override string ModelType => "qwen3";

    public override string ModelClass => "Qwen3ForCausalLM";

    public override IReadOnlyList<CheckpointModule> Modules =>
        [.. base.Modules, new(Layer + "self_attn.q_norm", "Attention.QueryNorm"), new(Layer + "self_attn.k_norm", "Attention.KeyNorm")];

    public override IReadOnlyList<ParameterOption> Options => [AttentionBias];

    public override IReadOnlyDictionary<string, string> Defaults { get; } =
        new Dictionary<string, string> { ["num_key_value_heads"] = "32", ["head_dim"] = "128", ["use_sliding_window"] = "false" };

    [ModuleInitializer]
    internal static new void Initialize() => Register(new Qwen3());
}
