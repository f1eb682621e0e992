using System.Runtime.CompilerServices;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Mistral from v0.2 on, without a window: Transformers' <c>mistral</c>. Its arithmetic is Llama's, as which a description is saved.</summary>
internal sealed class Mistral : Llama
{
    public override string ModelType => "mistral";

    public override string ModelClass => "MistralForCausalLM";

    public override bool IsPreferred => false;

    public override IReadOnlyList<ParameterOption> Options => [];

    public override IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string> { ["num_key_value_heads"] = "8", ["sliding_window"] = "4096" };

    [ModuleInitializer]
    internal static new void Initialize() => Register(new Mistral());
}
