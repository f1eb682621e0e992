namespace ModelCompiler.HuggingFace.Families;

/// <summary>The names that Transformers' Llama gives its parameters; "{0}" stands for the layer.</summary>
internal static class LlamaNames
{
    /// <summary>What the names of a layer's parameters start with.</summary>
    public const string Layer = "model.layers.{0}.";

    /// <summary>The head, absent where it is the embedding.</summary>
    public const string Head = "lm_head.weight";

    /// <summary>Modules of a layer's projections.</summary>
    public static readonly string[] Projections =
        ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"];

    /// <summary>All parameters but the head.</summary>
    public static readonly string[] Parameters =
    [
        "model.embed_tokens.weight", Layer + "input_layernorm.weight", Layer + "post_attention_layernorm.weight", "model.norm.weight",
        .. Projections.Select(static p => Layer + p + ".weight"),
    ];
}
