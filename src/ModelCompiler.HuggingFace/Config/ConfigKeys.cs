using System.Globalization;
using System.Text.Json;
using ModelCompiler.HuggingFace.Families;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>The keys of a config.json that change nothing, always or at one value. What is in neither table, and not described, is refused.</summary>
internal static class ConfigKeys
{
    /// <summary>Names and versions, training, generation, how other programs run it.</summary>
    private static readonly HashSet<string> s_inert =
    [
        "architectures", "transformers_version", "torch_dtype", "dtype", "_name_or_path", "name_or_path", "_from_model_config", "_commit_hash", "base_model_name_or_path",
        "license", "author", "model_name", "is_llama_config", "transformers.js_config", "task_specific_params", "finetuning_task", "problem_type", "id2label", "label2id", "num_labels",
        "tokenizer_class", "bos_token_id", "eos_token_id", "pad_token_id", "unk_token_id", "sep_token_id", "cls_token_id", "mask_token_id", "decoder_start_token_id",
        "bos_token", "eos_token", "pad_token", "unk_token",
        "_attn_implementation", "attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal", "_flash_attn_2_enabled", "use_flash_attn", "use_flash_attention",
        "use_flash_attention_2", "use_cache", "cache_implementation", "torchscript", "use_bfloat16", "tf_legacy_loss", "pretraining_tp", "chunk_size_feed_forward",
        "output_attentions", "output_hidden_states", "output_scores", "return_dict", "return_dict_in_generate",
        "initializer_range", "attention_dropout", "attention_probs_dropout_prob", "hidden_dropout", "hidden_dropout_prob", "attn_pdrop", "embd_pdrop", "resid_pdrop", "classifier_dropout",
        "dropout", "layerdrop", "gradient_checkpointing", "use_reentrant",
        "max_position_embeddings", "model_max_length", "max_sequence_length", "max_seq_len", "max_seq_length", "seq_length", "n_ctx", "original_max_position_embeddings", "max_window_layers",
        "do_sample", "temperature", "top_k", "top_p", "typical_p", "min_p", "repetition_penalty", "length_penalty", "diversity_penalty", "num_beams", "num_beam_groups", "num_return_sequences",
        "max_length", "min_length", "max_new_tokens", "no_repeat_ngram_size", "encoder_no_repeat_ngram_size", "bad_words_ids", "early_stopping", "exponential_decay_length_penalty",
        "suppress_tokens", "begin_suppress_tokens", "forced_bos_token_id", "forced_eos_token_id", "remove_invalid_values", "prefix",
    ];

    /// <summary>Keys that change nothing at one value, which the description's shape gives.</summary>
    private static readonly Dictionary<string, Func<DescribedShape, string>> s_neutral = new()
    {
        // Factors: Granite, MiniCPM, Cohere, Gemma, GLM.
        ["embedding_multiplier"] = _ => "1",
        ["residual_multiplier"] = _ => "1",
        ["logits_scaling"] = _ => "1",
        ["attention_multiplier"] = shape => Number(1 / Math.Sqrt(shape.HeadWidth)),
        ["logit_scale"] = _ => "1",
        ["scale_emb"] = _ => "1",
        ["scale_depth"] = shape => Number(Math.Sqrt(shape.Layers)),
        ["dim_model_base"] = shape => Number(shape.Width),
        ["query_pre_attn_scalar"] = shape => Number(shape.HeadWidth),
        ["attn_logit_softcapping"] = _ => "0",
        ["final_logit_softcapping"] = _ => "0",
        ["rope_ratio"] = _ => "1",
        ["rotary_pct"] = _ => "1",
        ["rotary_dim"] = shape => Number(shape.HeadWidth),

        // Biases and norms, which the checkpoint's tensors have to agree with.
        ["attention_bias"] = shape => Flag(shape.Has("Attention.Query.Bias") && shape.Has("Attention.Output.Bias")),
        ["qkv_bias"] = shape => Flag(shape.Has("Attention.Query.Bias")),
        ["use_qkv_bias"] = shape => Flag(shape.Has("Attention.Query.Bias")),
        ["attention_out_bias"] = shape => Flag(shape.Has("Attention.Output.Bias")),
        ["mlp_bias"] = shape => Flag(shape.Has("FeedForward.Gate.Bias")),
        ["use_qk_norm"] = shape => Flag(shape.Has("Attention.QueryNorm.Weight")),
        ["qk_layernorm"] = shape => Flag(shape.Has("Attention.QueryNorm.Weight")),

        // Other arithmetic, switched off.
        ["bias"] = _ => "false",
        ["use_bias"] = _ => "false",
        ["alibi"] = _ => "false",
        ["use_alibi"] = _ => "false",
        ["multi_query"] = _ => "false",
        ["parallel_attn"] = _ => "false",
        ["use_parallel_residual"] = _ => "false",
        ["use_post_norm"] = _ => "false",
        ["apply_residual_connection_post_layernorm"] = _ => "false",
        ["scale_attn_weights"] = _ => "true",
        ["scale_attn_by_inverse_layer_idx"] = _ => "false",
        ["rope_interleaved"] = _ => "false",
        ["rope_interleave"] = _ => "false",
        ["use_mrope"] = _ => "false",
        ["use_dynamic_ntk"] = _ => "false",
        ["use_logn_attn"] = _ => "false",
        ["is_decoder"] = _ => "false",
        ["is_encoder_decoder"] = _ => "false",
        ["add_cross_attention"] = _ => "false",
        ["tie_encoder_decoder"] = _ => "false",
        ["num_nextn_predict_layers"] = _ => "0",
        ["num_experts"] = _ => "0",
        ["num_local_experts"] = _ => "0",
        ["n_routed_experts"] = _ => "0",
        ["pruned_heads"] = _ => "{}",
        ["mlp_only_layers"] = _ => "[]",
    };

    /// <summary>Whether a key changes nothing, whatever its value.</summary>
    public static bool IsInert(string key) => s_inert.Contains(key) || key.StartsWith("unsloth_", StringComparison.Ordinal);

    /// <summary>Whether a key changes nothing at this value.</summary>
    public static bool IsNeutral(string key, JsonElement value, DescribedShape shape) => key switch
    {
        // 1: the layer has positions. SmolLM3.
        "no_rope_layers" => All(value, e => e.GetRawText() is "1" or "true"),

        // A map to code of its own for the model is another model; one for tokenizer or configuration is not.
        "auto_map" => value.ValueKind == JsonValueKind.Object && !value.EnumerateObject().Any(p => p.Name.StartsWith("AutoModel", StringComparison.Ordinal)),
        "quantization_config" => IsNf4(value),
        _ => s_neutral.TryGetValue(key, out Func<DescribedShape, string>? neutral) && ConfigValue.Same(string.Concat(value.GetRawText().Where(c => !char.IsWhiteSpace(c))), neutral(shape)),
    };

    /// <summary>Whether a list holds nothing but elements of this kind.</summary>
    public static bool All(JsonElement value, Func<JsonElement, bool> kind) => value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(kind);

    /// <summary>bitsandbytes' NF4, which the tensors say the rest of.</summary>
    private static bool IsNf4(JsonElement value)
    {
        string? Member(string name) => value.TryGetProperty(name, out JsonElement member) && member.ValueKind != JsonValueKind.Null ? member.GetRawText() : null;

        return value.ValueKind == JsonValueKind.Object
            && Member("quant_method") is null or "\"bitsandbytes\""
            && (Member("load_in_4bit") ?? Member("_load_in_4bit")) == "true"
            && Member("bnb_4bit_quant_type") == "\"nf4\"";
    }

    private static string Flag(bool value) => value ? "true" : "false";

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
