using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions small enough for finite differences. Every choice has a generator of its own, so that any two can meet.</summary>
public static class RandomDescriptions
{
    private static readonly Gen<bool> s_flag = Gen.Elements(false, true);

    /// <summary>The first descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        Enumerable.Range(0, count).Select(i => Description($"M{i}").Sample(1, new Rnd(seed + (ulong)i), 1).First()).ToArray();

    /// <summary>A description of a class with this name.</summary>
    public static Gen<ModelSpec> Description(string name) =>
        from architecture in Architecture(name)
        from full in Gen.Choose(0, 3)
        from recipe in RandomRecipes.Recipe(architecture)
        select full == 0 ? architecture : architecture with { Recipe = recipe };

    private static Gen<ModelSpec> Architecture(string name) =>
        from width in Gen.Elements(4, 6, 7, 12)
        from vocabulary in Gen.Choose(3, 11)
        from tied in s_flag
        from scale in Gen.Elements(1, 1.5f)
        from positions in s_flag
        from bias in s_flag
        from softCap in Gen.Elements(0f, 4)
        from norm in Norm
        from block in Block
        select new ModelSpec(
            new TypeSpec("Random", name, "public"),
            vocabulary,
            width,
            Context: 8,
            new EmbeddingSpec(tied, scale),
            positions,
            new HeadSpec(bias, softCap),
            norm,
            block);

    private static Gen<BlockSpec> Block =>
        from layers in Gen.Choose(1, 3)
        from parallel in s_flag
        from postNorm in s_flag
        from count in Gen.Choose(1, 4)
        from sublayers in Sublayer.ArrayOf(count)
        from rotary in Layers(layers)
        select new BlockSpec("Layer", layers, parallel, postNorm, new EquatableArray<SublayerSpec>(sublayers.Select((s, i) => Named(s with
        {
            Attention = s.Attention?.Rotary is null ? s.Attention : s.Attention with { RotaryLayers = rotary },
        }, i))));

    /// <summary>Some of the layers as a description says them; empty as often as not: all.</summary>
    public static Gen<string> Layers(int layers) =>
        from some in s_flag
        from set in Gen.Choose(1, (1 << layers) - 1)
        select some ? LayerSet.Of(Enumerable.Range(0, layers).Where(layer => (set >> layer & 1) != 0)).ToString() : "";

    private static Gen<SublayerSpec> Sublayer =>
        from norm in Norm
        from attends in s_flag
        from attention in Attention
        from feedForward in FeedForward
        from layerScale in s_flag
        select new SublayerSpec(
            attends ? "Attention" : "FeedForward",
            attends ? "Attention" : "FeedForward",
            norm,
            attends ? attention : null,
            attends ? null : feedForward,
            layerScale);

    private static Gen<AttentionSpec> Attention =>
        from keyValueHeads in Gen.Choose(1, 2)
        from groups in Gen.Choose(1, 3)
        from headWidth in Gen.Elements(2, 3, 4, 6)
        from bias in s_flag
        from outputBias in s_flag
        from rotary in Rotary(headWidth)
        from queryKeyNorm in s_flag
        select new AttentionSpec(
            new AttentionShape(keyValueHeads * groups, keyValueHeads, headWidth),
            bias,
            outputBias,
            rotary,
            queryKeyNorm ? new NormSpec(NormKind.Rms, new NormShape(1e-5f), false) : null);

    private static Gen<RotaryShape?> Rotary(int headWidth) =>
        from used in Gen.Choose(0, 2)
        from partial in s_flag
        from theta in Gen.Elements(100f, 10_000)
        from scaling in Gen.Elements(default(FrequencyScaling), FrequencyScaling.Linear(2), FrequencyScaling.Llama3(4, 0.1f, 1, 8))
        select used == 0 ? (RotaryShape?)null : new RotaryShape(headWidth, partial ? 2 : headWidth / 2 * 2, theta, scaling);

    private static Gen<FeedForwardSpec> FeedForward =>
        from kind in Gen.Elements(FeedForwardKind.SwiGlu, FeedForwardKind.GeGlu, FeedForwardKind.Gelu)
        from hidden in Gen.Elements(3, 5, 8)
        from bias in s_flag
        select new FeedForwardSpec(kind, hidden, bias);

    /// <summary>A sublayer without a norm shares the first one's in a parallel block and has none elsewhere.</summary>
    private static Gen<NormSpec?> Norm =>
        from kind in Gen.Choose(0, 3)
        select kind switch
        {
            0 => new NormSpec(NormKind.Rms, new NormShape(1e-5f), false),
            1 => new NormSpec(NormKind.Layer, new NormShape(1e-5f), false),
            2 => new NormSpec(NormKind.Layer, new NormShape(1e-5f), true),
            _ => null,
        };

    private static SublayerSpec Named(SublayerSpec sublayer, int i) => i == 0
        ? sublayer
        : sublayer with { PropertyName = $"{sublayer.PropertyName}{i + 1}", TypeName = $"{sublayer.TypeName}{i + 1}" };
}
