using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions small enough for finite differences, covering every part of the catalogue.</summary>
public static class RandomDescriptions
{
    /// <summary>The first descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed) =>
        Enumerable.Range(0, count).Select(i => Description($"M{i}").Sample(1, new Rnd(seed + (ulong)i), 1).First()).ToArray();

    /// <summary>A description of a class with this name.</summary>
    public static Gen<ModelSpec> Description(string name) =>
        from keyValueHeads in Gen.Choose(1, 2)
        from groups in Gen.Choose(1, 3)
        from headWidth in Gen.Elements(2, 3, 4, 6)
        from width in Gen.Elements(4, 6, 7, 12)
        from hidden in Gen.Elements(3, 5, 8)
        from layers in Gen.Choose(1, 3)
        from vocabulary in Gen.Choose(3, 11)
        from flags in Gen.Choose(0, (1 << 14) - 1)
        from kind in Gen.Elements(FeedForwardKind.SwiGlu, FeedForwardKind.GeGlu, FeedForwardKind.Gelu)
        from norms in Gen.Choose(0, 8)
        from rotary in Gen.Choose(0, 2)
        from order in Gen.Choose(0, 3)
        from recipe in Recipe(layers, Math.Min(width, Math.Min(hidden, keyValueHeads * headWidth)), kind, Math.Min(width, vocabulary))
        select Build(name, keyValueHeads, groups, headWidth, width, hidden, layers, vocabulary, flags, kind, norms, rotary, order, recipe);

    private static Gen<RecipeSpec?> Recipe(int layers, int largestRank, FeedForwardKind kind, int largestHeadRank) =>
        from full in Gen.Choose(0, 3)
        from targets in Gen.Choose(1, 127)
        from head in Gen.Choose(0, 3)
        from rank in Gen.Choose(1, largestRank)
        from headRank in Gen.Choose(1, largestHeadRank)
        from first in Gen.Choose(0, layers - 1)
        from second in Gen.Choose(0, layers - 1)
        from dropout in Gen.Choose(0, 2)
        from stabilized in Gen.Choose(0, 1)
        select full == 0 ? null : new RecipeSpec(
            "Base",
            default,
            new EquatableArray<AdapterSpec>(Adapters((Targets)targets & ~(kind == FeedForwardKind.Gelu ? Targets.Gate : Targets.None), head == 0, rank, headRank, first, second, dropout, stabilized)),
            default);

    private static IEnumerable<AdapterSpec> Adapters(Targets targets, bool head, int rank, int headRank, int first, int second, int dropout, int stabilized)
    {
        EquatableArray<ArgumentSpec> Arguments(int r) => new(
        [
            new ArgumentSpec("Rank", r),
            new ArgumentSpec("Alpha", 3),
            new ArgumentSpec("Dropout", dropout == 0 ? 0.25 : 0),
            new ArgumentSpec("RankStabilized", stabilized),
        ]);
        if (targets == Targets.None)
        {
            targets = Targets.Value;
        }

        Targets attention = targets & Targets.Attention;
        Targets rest = targets & Targets.FeedForward;
        if (attention != Targets.None)
        {
            yield return new AdapterSpec("Lora", attention, first, Arguments(rank));
        }

        if (rest != Targets.None)
        {
            yield return new AdapterSpec("Lora", rest, second, Arguments(1));
        }

        if (head)
        {
            yield return new AdapterSpec("Lora", Targets.Head, 0, Arguments(headRank));
        }
    }

    private static ModelSpec Build(
        string name, int keyValueHeads, int groups, int headWidth, int width, int hidden, int layers, int vocabulary, int flags, FeedForwardKind kind, int norms, int rotary, int order, RecipeSpec? recipe)
    {
        bool Flag(int bit) => (flags >> bit & 1) != 0;
        int rotaryWidth = rotary == 1 && headWidth > 2 ? 2 : headWidth / 2 * 2;
        FrequencyScaling scaling = (Flag(4), Flag(6)) switch { (true, true) => FrequencyScaling.Llama3(4, 0.1f, 1, 8), (true, false) => FrequencyScaling.Linear(2), _ => default };
        var attention = new AttentionSpec(
            new AttentionShape(keyValueHeads * groups, keyValueHeads, headWidth), Flag(0), Flag(1), rotary == 0 ? null : new RotaryShape(headWidth, rotaryWidth, Flag(2) ? 100 : 10_000, scaling),
            Flag(5) != Flag(6) ? Norm(1, false) : null);
        bool postNorm = Flag(3) && Flag(4);
        bool parallel = !postNorm && Flag(5) && Flag(6);
        NormSpec? first = Norm(norms % 3, Flag(7));
        NormSpec? second = Norm(norms / 3, Flag(7));
        var sublayers = new List<SublayerSpec>
        {
            new("Attention", "Attention", first, attention, null, Flag(8)),
            new("FeedForward", "FeedForward", second, null, new FeedForwardSpec(kind, hidden, Flag(9)), Flag(10)),
        };
        if (order == 0)
        {
            sublayers.Reverse();
        }

        return new ModelSpec(
            new TypeSpec("Random", name, "public"),
            vocabulary,
            width,
            Context: 8,
            new EmbeddingSpec(Flag(11), Flag(12) ? 1.5f : 1),
            LearnedPositions: rotary == 0 || Flag(2),
            new HeadSpec(Flag(13), Flag(12) ? 4 : 0),
            Flag(0) ? Norm(1, Flag(7)) : null,
            new BlockSpec("Layer", layers, parallel, postNorm, new EquatableArray<SublayerSpec>(sublayers)),
            recipe);
    }

    // A sublayer without a norm shares the first one's in a parallel block and has none elsewhere.
    private static NormSpec? Norm(int kind, bool bias) => kind switch
    {
        0 => new NormSpec(NormKind.Rms, new NormShape(1e-5f), false),
        1 => new NormSpec(NormKind.Layer, new NormShape(1e-5f), bias),
        _ => null,
    };
}
