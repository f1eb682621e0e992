using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>The attributes of a part of the description, as a reader of the generated text knows them.</summary>
internal static class AttributesText
{
    /// <summary>The attributes of a sublayer, "[RmsNorm] [Attention(Heads = 8)] [Rotary]"; null where it is none.</summary>
    public static string? Of(ModelSpec spec, string section) =>
        spec.Block.Sublayers.FirstOrDefault(s => s.PropertyName == section) is { } sublayer ? string.Join(" ", Of(sublayer).Select(static text => $"[{text}]")) : null;

    private static IEnumerable<string> Of(SublayerSpec sublayer)
    {
        if (sublayer.Norm is { } norm)
        {
            yield return $"{norm.Kind}Norm";
        }

        if (sublayer.Attention is { } attention)
        {
            yield return FormattableString.Invariant($"Attention(Heads = {attention.Shape.Heads}, KeyValueHeads = {attention.Shape.KeyValueHeads})");
            if (attention.QueryKeyNorm is not null)
            {
                yield return "QueryKeyNorm";
            }

            if (attention.Rotary is not null)
            {
                yield return "Rotary";
            }
        }
        else if (sublayer.FeedForward is { } feedForward)
        {
            yield return FormattableString.Invariant($"{feedForward.Kind}(Hidden = {feedForward.Hidden})");
        }

        if (sublayer.LayerScale)
        {
            yield return "LayerScale";
        }
    }
}
