using System.Globalization;
using System.Runtime.CompilerServices;
using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>GPT-2: Transformers' <c>gpt2</c>. Its linear layers are Conv1D, which store weights as [inputs, outputs]; queries, keys and values are one tensor.</summary>
internal sealed class Gpt2 : CheckpointFamily
{
    private const string Layer = "transformer.h.{0}.";

    public override string ModelType => "gpt2";

    public override string ModelClass => "GPT2LMHeadModel";

    public override string Prefix => "transformer.";

    public override IReadOnlyList<CheckpointModule> Modules { get; } =
    [
        new("transformer.wte", "TokenEmbedding"),
        new("transformer.wpe", "PositionEmbedding"),
        new(Layer + "ln_1", "Attention.Norm") { Bias = true },
        new(Layer + "attn.c_attn", "Attention.Query", "Attention.Key", "Attention.Value") { Bias = true, Transposed = true },
        new(Layer + "attn.c_proj", "Attention.Output") { Bias = true, Transposed = true },
        new(Layer + "ln_2", "FeedForward.Norm") { Bias = true },
        new(Layer + "mlp.c_fc", "FeedForward.Up") { Bias = true, Transposed = true },
        new(Layer + "mlp.c_proj", "FeedForward.Down") { Bias = true, Transposed = true },
        new("transformer.ln_f", "FinalNorm") { Bias = true },
        new("lm_head", "Head"),
    ];

    public override IReadOnlyList<string> Unread =>
        ["reorder_and_upcast_attn", "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj"];

    /// <summary>GELU by tanh, as many key heads as query heads, together as wide as the model.</summary>
    public override bool Computes(DescribedShape shape) =>
        shape.Value("hidden_act") == "\"gelu_pytorch_tanh\"" && shape.Value("layer_norm_eps") is not null && shape.Value("rope_theta") is null
        && shape.Value("num_key_value_heads") == shape.Value("num_attention_heads") && Heads(shape) * shape.HeadWidth == shape.Width && !shape.IsBeyondLlama;

    public override IEnumerable<ConfigEntry> Keys(DescribedShape shape)
    {
        string hidden = Number(4 * shape.Width);
        yield return new("n_embd", Number(shape.Width), "768");
        yield return new("n_layer", Number(shape.Layers), "12");
        yield return new("n_head", shape.Value("num_attention_heads")!, "12");
        yield return new("n_positions", Number(shape.Context), "1024");
        yield return new("n_inner", shape.Value("intermediate_size")!, hidden);
        yield return new("vocab_size", shape.Value("vocab_size")!, "50257");
        yield return new("activation_function", "\"gelu_new\"", "\"gelu_new\"");
        yield return new("layer_norm_epsilon", shape.Value("layer_norm_eps")!, "1E-05");
        yield return new("tie_word_embeddings", shape.Value("tie_word_embeddings")!, "true");
    }

    /// <summary>Old checkpoints hold the causal mask as "attn.bias".</summary>
    public override bool IsWeight(string tensor) =>
        (tensor.StartsWith(Prefix, StringComparison.Ordinal) || tensor.StartsWith("lm_head.", StringComparison.Ordinal))
        && (tensor.EndsWith(".weight", StringComparison.Ordinal) || (tensor.EndsWith(".bias", StringComparison.Ordinal) && !tensor.EndsWith(".attn.bias", StringComparison.Ordinal)));

    [ModuleInitializer]
    internal static void Initialize() => Register(new Gpt2());

    private static int Heads(DescribedShape shape) => int.Parse(shape.Value("num_attention_heads") ?? "0", CultureInfo.InvariantCulture);

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);
}
