using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>
/// Names for a description that is no family's: Llama's as far as they go. The second sublayer of a kind is "self_attn_2", and a norm in another place than Llama's is
/// "norm_3", after the sublayer it stands before.
/// </summary>
/// <param name="architecture">The class, which takes the place of a model_type.</param>
internal sealed class OwnNames(string architecture) : CheckpointFamily
{
    private const string Layer = "model.layers.{0}.";

    public override string ModelType => architecture;

    public override string ModelClass => architecture;

    public override IReadOnlyList<CheckpointModule> Modules => [];

    public override bool Computes(DescribedShape shape) => true;

    internal override IEnumerable<CheckpointModule> ModulesOf(ModelTables tables)
    {
        string[] parts = [.. tables.Parameters.Where(static p => p.Slot < 0).Select(static p => Module(p.Path)).Append("Head").Distinct()];
        return parts.Select(part => new CheckpointModule(NameOf(part, tables), tables.KindPath(part)) { Bare = part.EndsWith(".LayerScale", StringComparison.Ordinal) });
    }

    private static string Module(string path) => path.EndsWith(".Weight", StringComparison.Ordinal) || path.EndsWith(".Bias", StringComparison.Ordinal) ? path[..path.LastIndexOf('.')] : path;

    private static string NameOf(string part, ModelTables tables)
    {
        int dot = part.IndexOf('.', StringComparison.Ordinal);
        int index = dot < 0 ? -1 : Array.FindIndex(tables.Sublayers, s => s.Name == part[..dot]);
        return index < 0 ? Outside(part) : Layer + Inside(part[(dot + 1)..], index, tables.Sublayers);
    }

    private static string Outside(string part) => part switch
    {
        "TokenEmbedding" => "model.embed_tokens",
        "PositionEmbedding" => "model.embed_positions",
        "FinalNorm" => "model.norm",
        _ => "lm_head",
    };

    private static string Inside(string part, int index, SublayerInfo[] sublayers)
    {
        SublayerKind kind = sublayers[index].Kind;
        int number = 1 + sublayers.Take(index).Count(s => s.Kind == kind);
        if (part == "Norm")
        {
            return (index, kind) switch
            {
                (0, SublayerKind.Attention) => "input_layernorm",
                (1, SublayerKind.FeedForward) => "post_attention_layernorm",
                _ => string.Create(CultureInfo.InvariantCulture, $"norm_{index + 1}"),
            };
        }

        string sublayer = (kind == SublayerKind.Attention ? "self_attn" : "mlp") + (number == 1 ? "" : string.Create(CultureInfo.InvariantCulture, $"_{number}"));
        return sublayer + "." + part switch
        {
            "Query" => "q_proj",
            "Key" => "k_proj",
            "Value" => "v_proj",
            "Output" => "o_proj",
            "Gate" => "gate_proj",
            "Up" => "up_proj",
            "Down" => "down_proj",
            "QueryNorm" => "q_norm",
            "KeyNorm" => "k_norm",
            _ => "layer_scale",
        };
    }
}
