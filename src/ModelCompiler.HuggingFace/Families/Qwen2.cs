using System.Runtime.CompilerServices;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Qwen2 and Qwen2.5: Transformers' <c>qwen2</c>. Queries, keys and values have biases.</summary>
internal sealed class Qwen2 : Llama
{
    public override string ModelType => "qwen2";

    public override string ModelClass => "Qwen2ForCausalLM";

    public override IReadOnlyList<CheckpointModule> Modules => [.. base.Modules.Select(static m => m with { Bias = m.Parts[0] is "Attention.Query" or "Attention.Key" or "Attention.Value" })];

    public override IReadOnlyList<ParameterOption> Options => [];

    public override IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string> { ["num_key_value_heads"] = "32", ["use_sliding_window"] = "false" };

    public override IReadOnlyList<string> Unread => ["attention_bias"];

    [ModuleInitializer]
    internal static new void Initialize() => Register(new Qwen2());
}
