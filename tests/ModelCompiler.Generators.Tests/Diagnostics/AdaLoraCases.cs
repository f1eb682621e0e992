using static ModelCompiler.Generators.Tests.Testing.Sources;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>What [Dora] and [AdaLora] have of their own.</summary>
internal static class AdaLoraCases
{
    public static readonly DiagnosticCase[] All =
    [
        new(Over("{|MC0240:Dora(Targets = Projections.Query)|}, Lora(Targets = Projections.Key)"),
            "[Dora] and [Lora] cannot share a recipe; an adapter file says once for all modules whether they use DoRA",
            Over("Dora(Targets = Projections.Query), Dora(Rank = 4, Targets = Projections.Key)")),
        new(Over("AdaLora(Rank = 8, {|MC0251:InitialRank = 6|})"), "InitialRank 6 is below Rank 8; the budget falls from one to the other", Over("AdaLora(Rank = 8, InitialRank = 8)")),
        new(Over("AdaLora(Rank = 30, {|MC0202:InitialRank = 33|}, Targets = Projections.Attention)"),
            "Rank 33 exceeds the smaller dimension of Key (64 to 32), Value (64 to 32); a larger rank cannot express more",
            Over("AdaLora(Rank = 30, InitialRank = 32, Targets = Projections.Attention), AdaLora(Rank = 50, Targets = Projections.Up)"), "AdaLoRA"),
        new(Over("AdaLora({|MC0252:Warmup = 0.7|})"), "Warmup is 0.7 and Final is 0.3; both are fractions of the steps, and together they must be below 1", Over("AdaLora(Warmup = 0.6)")),
        new(Over("AdaLora(Warmup = 0.5, {|MC0252:Final = 0.5|})"),
            "Warmup is 0.5 and Final is 0.5; both are fractions of the steps, and together they must be below 1", Over("AdaLora(Warmup = 0, Final = 0.99)"), "both"),
        new(Over("AdaLora({|MC0252:Final = double.NaN|})"), "Warmup is 0.1 and Final is NaN; both are fractions of the steps, and together they must be below 1", Over("AdaLora(Final = 0)"), "NaN"),
        new(Over("AdaLora({|MC0253:Interval = 0|})"), "Interval is 0; it must be at least 1", Over("AdaLora(Interval = 1)")),
        new(Over("AdaLora({|MC0253:Orthogonality = -0.5f|})"), "Orthogonality is -0.5; it must be finite and at least 0", Over("AdaLora(Orthogonality = 0)"), "negative"),
        new(Over("AdaLora({|MC0253:Beta1 = 1|})"), "Beta1 is 1; it must be in [0, 1)", Over("AdaLora(Beta1 = 0)"), "sensitivity"),
        new(Over("AdaLora({|MC0253:Beta2 = float.NaN|})"), "Beta2 is NaN; it must be in [0, 1)", Over("AdaLora(Beta2 = 0.99f)"), "uncertainty"),
        new(Over("AdaLora(Targets = Projections.Attention), AdaLora({|MC0254:Interval = 100|}, Targets = Projections.FeedForward)"),
            "All [AdaLora] adapters share one budget, but this one and the one before differ in Interval",
            Over("AdaLora(Beta1 = 0.85f, Targets = Projections.Attention), AdaLora(Rank = 4, Dropout = 0.1f, Targets = Projections.FeedForward)")),
        new(Over("AdaLora(Final = 0.2, Targets = Projections.Attention), {|MC0254:AdaLora(Targets = Projections.FeedForward)|}"),
            "All [AdaLora] adapters share one budget, but this one and the one before differ in Final",
            Over("AdaLora(Final = 0.2, Targets = Projections.Attention), AdaLora(Final = 0.2, Targets = Projections.FeedForward)"), "not given"),
    ];

    private static string Over(string attributes) => $"{Tiny}[FineTune<Tiny>, {attributes}] public partial class Recipe;\n";
}
