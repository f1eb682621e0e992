using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.Models;

/// <summary>
/// The text that the random start of a parameter is drawn by. It does not depend on what a description calls its properties, and it never changes: a seed gives the
/// same numbers in every version. The texts are the ones that the first version had.
/// </summary>
internal static class RandomStream
{
    private static readonly Dictionary<string, string> s_parts = new()
    {
        ["Attention"] = "self_attn",
        ["FeedForward"] = "mlp",
        ["Query"] = "q_proj",
        ["Key"] = "k_proj",
        ["Value"] = "v_proj",
        ["Output"] = "o_proj",
        ["Gate"] = "gate_proj",
        ["Up"] = "up_proj",
        ["Down"] = "down_proj",
        ["Head"] = "lm_head",
        ["TokenEmbedding"] = "model.embed_tokens",
        ["PositionEmbedding"] = "model.embed_positions",
    };

    /// <summary>The text of a parameter, of the base or of an adapter.</summary>
    public static string Of(ModelTables tables, Parameter parameter)
    {
        ParameterInfo row = parameter.Info;
        string module = row.Slot < 0 ? row.Path.EndsWith(".Weight", StringComparison.Ordinal) ? row.Path[..^".Weight".Length] : row.Path : tables.Slots[row.Slot].Path;
        string text = string.Join('.', tables.KindPath(module).Split('.').Select(Part));
        string prefix = parameter.Layer < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"model.layers.{parameter.Layer}.");
        string name = row.Path[(row.Path.LastIndexOf('.') + 1)..];
        return $"{prefix}{text}.{(row.Slot < 0 ? "weight" : tables.Slots[row.Slot].Options.StreamOf(name))}";
    }

    /// <summary>The second sublayer of a kind has its number: "Attention2" is "self_attn_2".</summary>
    private static string Part(string part)
    {
        string kind = part.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        return s_parts.TryGetValue(kind, out string? text) ? text + (kind.Length < part.Length ? "_" + part[kind.Length..] : "") : part;
    }
}
