using ModelCompiler.HuggingFace.Config;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>A model_type of Transformers whose class computes what a description can.</summary>
/// <param name="Type">model_type.</param>
/// <param name="Class">Its class with a head.</param>
/// <param name="Layer">The parameters that its layers have besides Llama's.</param>
/// <param name="Options">Keys that, where true, give every layer further parameters.</param>
internal sealed record ModelFamily(string Type, string Class, string[] Layer, params (string Key, string[] Layer)[] Options)
{
    private static readonly string[] s_attentionBiases = ["self_attn.q_proj.bias", "self_attn.k_proj.bias", "self_attn.v_proj.bias", "self_attn.o_proj.bias"];
    private static readonly (string, string[]) s_attentionBias = ("attention_bias", s_attentionBiases);
    private static readonly (string, string[]) s_mlpBias = ("mlp_bias", ["mlp.gate_proj.bias", "mlp.up_proj.bias", "mlp.down_proj.bias"]);

    /// <summary>All that are known; of those that fit a description the first is what it is saved as.</summary>
    private static readonly ModelFamily[] s_all =
    [
        new("llama", "LlamaForCausalLM", [], s_attentionBias, s_mlpBias),
        new("mistral", "MistralForCausalLM", []) { Defaults = { ["num_key_value_heads"] = "8", ["sliding_window"] = "4096" } },
        new("qwen2", "Qwen2ForCausalLM", s_attentionBiases[..3])
        {
            Defaults = { ["num_key_value_heads"] = "32", ["use_sliding_window"] = "false" },
            Unread = ["attention_bias"],
        },
        new("qwen3", "Qwen3ForCausalLM", ["self_attn.q_norm.weight", "self_attn.k_norm.weight"], s_attentionBias)
        {
            Defaults = { ["num_key_value_heads"] = "32", ["head_dim"] = "128", ["use_sliding_window"] = "false" },
        },
    ];

    /// <summary>What absent keys mean, where that is not what the description says they mean.</summary>
    public Dictionary<string, string> Defaults { get; } = [];

    /// <summary>Keys that its class does not read.</summary>
    public string[] Unread { get; init; } = [];

    /// <summary>The families that compute what a description does.</summary>
    public static ModelFamily[] Of(DescribedShape shape) => shape.IsLlamaLike ? [.. s_all.Where(f => f.Fits(shape))] : [];

    private bool Fits(DescribedShape shape)
    {
        HashSet<string> rest = [.. shape.LayerParameters];
        if (!Layer.All(name => rest.Remove(LlamaNames.Layer + name)))
        {
            return false;
        }

        foreach ((_, string[] names) in Options.Where(o => o.Layer.All(shape.Has)))
        {
            rest.ExceptWith(names.Select(name => LlamaNames.Layer + name));
        }

        return rest.Count == 0;
    }
}
