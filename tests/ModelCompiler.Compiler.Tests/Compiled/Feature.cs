using ModelCompiler.Compiler.Description;
using ModelCompiler.Planning;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>One choice that a description makes.</summary>
/// <param name="Factor">What is chosen.</param>
/// <param name="Choice">The choice.</param>
internal sealed record Feature(string Factor, string Choice)
{
    private static readonly string[] s_flag = ["no", "yes"];
    private static readonly string[] s_norms = ["none", "rms", "layer", "layer with bias"];
    private static readonly string[] s_counts = ["none", "one", "several"];

    /// <summary>Every choice of every factor.</summary>
    public static IReadOnlyList<Feature> All { get; } = [.. new (string Factor, string[] Choices)[]
    {
        ("layers", ["one", "several"]),
        ("sublayers", ["1", "2", "3", "4"]),
        ("attentions", s_counts),
        ("feed-forwards", s_counts),
        ("parallel", s_flag),
        ("post-norm", s_flag),
        ("tied", s_flag),
        ("scaled embedding", s_flag),
        ("learned positions", s_flag),
        ("head bias", s_flag),
        ("soft cap", s_flag),
        ("final norm", s_norms),
        ("method", ["none", "Lora", "QaLora", "Lamda", "LamdaPlusPlus", "DyLora", "Dora", "L1ra", "AdaLora"]),
        ("attention adapter", s_flag),
        ("feed-forward adapter", s_flag),
        ("head adapter", s_flag),
        ("dropout", s_flag),
        ("rank stabilized", s_flag),
        ("first layer", ["0", "later"]),
        ("adapter layers", s_flag),
        ("attention norm", s_norms),
        ("attention scale", s_flag),
        ("attention bias", s_flag),
        ("output bias", s_flag),
        ("grouping", ["none", "grouped", "multi-query"]),
        ("rotary", ["none", "whole", "partial"]),
        ("rotary scaling", ["None", "Linear", "Llama3"]),
        ("rotary layers", s_flag),
        ("query-key norm", s_flag),
        ("feed-forward norm", s_norms),
        ("feed-forward scale", s_flag),
        ("feed-forward kind", ["SwiGlu", "GeGlu", "Gelu"]),
        ("feed-forward bias", s_flag),
    }.SelectMany(factor => factor.Choices.Select(choice => new Feature(factor.Factor, choice)))];

    /// <summary>Whether a factor belongs to one attention sublayer.</summary>
    public bool OfAttention => Factor is "attention norm" or "attention scale" or "attention bias" or "output bias" or "grouping" or "rotary" or "rotary scaling" or "rotary layers" or "query-key norm";

    /// <summary>Whether a factor belongs to one feed-forward sublayer.</summary>
    public bool OfFeedForward => Factor is "feed-forward norm" or "feed-forward scale" or "feed-forward kind" or "feed-forward bias";

    /// <summary>What a description chooses for all of its sublayers.</summary>
    public static IEnumerable<Feature> Of(ModelSpec spec)
    {
        AdapterSpec[] adapters = [.. spec.Recipe?.Adapters ?? default];
        bool Any(string argument) => adapters.Any(a => a.Arguments.Any(given => given.Name == argument && given.Value > 0));
        bool On(Targets targets) => adapters.Any(a => (a.Targets & targets) != Targets.None);

        yield return new("layers", spec.Block.Repeat == 1 ? "one" : "several");
        yield return new("sublayers", $"{spec.Block.Sublayers.Count}");
        yield return new("attentions", Count(spec.Block.Sublayers.Count(s => s.Attention is not null)));
        yield return new("feed-forwards", Count(spec.Block.Sublayers.Count(s => s.FeedForward is not null)));
        yield return Flag("parallel", spec.Block.Parallel);
        yield return Flag("post-norm", spec.Block.PostNorm);
        yield return Flag("tied", spec.Embedding.Tied);
        yield return Flag("scaled embedding", spec.Embedding.Scale != 1);
        yield return Flag("learned positions", spec.LearnedPositions);
        yield return Flag("head bias", spec.Head.Bias);
        yield return Flag("soft cap", spec.Head.SoftCap > 0);
        yield return new("final norm", Norm(spec.FinalNorm));
        yield return new("method", adapters.Length == 0 ? "none" : adapters[0].Method);
        yield return Flag("attention adapter", On(Targets.Attention));
        yield return Flag("feed-forward adapter", On(Targets.FeedForward));
        yield return Flag("head adapter", On(Targets.Head));
        yield return Flag("dropout", Any("Dropout"));
        yield return Flag("rank stabilized", Any("RankStabilized"));
        yield return new("first layer", adapters.Any(a => a.FirstLayer > 0) ? "later" : "0");
        yield return Flag("adapter layers", adapters.Any(a => a.LayersIn(spec.Block.Repeat) is { } set && set.Last < spec.Block.Repeat - 1));
    }

    /// <summary>What a sublayer chooses for itself.</summary>
    public static IEnumerable<Feature> Of(SublayerSpec sublayer)
    {
        if (sublayer.Attention is { } attention)
        {
            (int heads, int keyValueHeads) = (attention.Shape.Heads, attention.Shape.KeyValueHeads);
            yield return new("attention norm", Norm(sublayer.Norm));
            yield return Flag("attention scale", sublayer.LayerScale);
            yield return Flag("attention bias", attention.Bias);
            yield return Flag("output bias", attention.OutputBias);
            yield return new("grouping", heads == keyValueHeads ? "none" : keyValueHeads == 1 ? "multi-query" : "grouped");
            yield return new("rotary", attention.Rotary is not { } rotary ? "none" : rotary.Width < rotary.HeadWidth / 2 * 2 ? "partial" : "whole");
            yield return new("rotary scaling", (attention.Rotary?.Scaling.Kind ?? RotaryScaling.None).ToString());
            yield return Flag("rotary layers", attention.Rotary is not null && attention.RotaryLayers.Length > 0);
            yield return Flag("query-key norm", attention.QueryKeyNorm is not null);
        }
        else if (sublayer.FeedForward is { } feedForward)
        {
            yield return new("feed-forward norm", Norm(sublayer.Norm));
            yield return Flag("feed-forward scale", sublayer.LayerScale);
            yield return new("feed-forward kind", feedForward.Kind.ToString());
            yield return Flag("feed-forward bias", feedForward.Bias);
        }
    }

    public override string ToString() => $"{Factor}: {Choice}";

    private static Feature Flag(string factor, bool value) => new(factor, value ? "yes" : "no");

    private static string Count(int count) => s_counts[Math.Min(count, 2)];

    private static string Norm(NormSpec? norm) =>
        norm is null ? "none" : norm.Kind == NormKind.Rms ? "rms" : norm.Bias ? "layer with bias" : "layer";
}
