using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions with three or four sublayers in a block: one or both kinds twice, with sizes of their own, in any order.</summary>
public static class RandomRepeated
{
    /// <summary>The first such descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        [.. RandomDescriptions.Take(count, seed).Select((spec, i) => spec with { Block = spec.Block with { Sublayers = new EquatableArray<SublayerSpec>(Repeated(spec.Block.Sublayers, i)) } })];

    private static IEnumerable<SublayerSpec> Repeated(EquatableArray<SublayerSpec> sublayers, int i)
    {
        IEnumerable<SublayerSpec> more = sublayers.Where((_, kind) => i % 3 == 2 || kind == i % 3).Select(Second);
        return (i / 3 % 3) switch
        {
            0 => sublayers.Concat(more),
            1 => more.Concat(sublayers),
            _ => sublayers.Take(1).Concat(more).Concat(sublayers.Skip(1)),
        };
    }

    private static SublayerSpec Second(SublayerSpec first) => first with
    {
        PropertyName = "Second" + first.PropertyName,
        TypeName = "Second" + first.TypeName,
        Attention = first.Attention is { } attention ? attention with { Shape = attention.Shape with { Heads = attention.Shape.KeyValueHeads }, Bias = !attention.Bias } : null,
        FeedForward = first.FeedForward is { } feedForward ? feedForward with { Hidden = feedForward.Hidden + 2 } : null,
        LayerScale = !first.LayerScale,
    };
}
