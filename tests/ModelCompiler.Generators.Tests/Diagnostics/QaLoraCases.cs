using static ModelCompiler.Generators.Tests.Testing.Sources;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>What [QaLora] has of its own: groups of inputs.</summary>
internal static class QaLoraCases
{
    public static readonly DiagnosticCase[] All =
    [
        new(Over("QaLora(Rank = 2, {|MC0231:GroupSize = 32|}, Targets = Projections.Query | Projections.Down)"),
            "The group size 32 does not divide the inputs of Down (172 inputs)",
            Over("QaLora(Rank = 2, GroupSize = 32, Targets = Projections.Query), QaLora(Rank = 2, GroupSize = 43, Targets = Projections.Down)")),
        new(Over("QaLora(Rank = 2, {|MC0231:GroupSize = -4|}, Targets = Projections.Query)"),
            "The group size -4 does not divide the inputs of Query (64 inputs)",
            Over("QaLora(Rank = 2, GroupSize = 1, Targets = Projections.Query)"), "negative"),
        new(Over("{|MC0232:QaLora(Rank = 2)|}, " + Int4Attention),
            "[QaLora] needs GroupSize where no Int4 storage sets one: Gate (Float32), Up (Float32), Down (Float32)",
            Over("QaLora(Rank = 2, Targets = Projections.Attention), " + Int4Attention)),
        new(Over("{|MC0232:QaLora(Rank = 2, Targets = Projections.Query)|}, Frozen(Storage.NF4, BlockSize = 32)"),
            "[QaLora] needs GroupSize where no Int4 storage sets one: Query (NF4, block 32)",
            Over("QaLora(Rank = 2, GroupSize = 4, Targets = Projections.Query), Frozen(Storage.BFloat16)"), "quantized"),
        new(Over("QaLora({|MC0233:Rank = 3|}, Targets = Projections.Attention), " + Int4Attention),
            "Rank 3 exceeds the number of groups of Query (2 groups), Key (2 groups), Value (2 groups), Output (2 groups); a larger rank cannot express more",
            Over("QaLora(Rank = 2, Targets = Projections.Attention), " + Int4Attention)),
        new(Over("QaLora({|MC0233:Rank = 17|}, GroupSize = 4, Targets = Projections.Query)"),
            "Rank 17 exceeds the number of groups of Query (16 groups); a larger rank cannot express more",
            Over("QaLora(Rank = 16, GroupSize = 4, Targets = Projections.Query)"), "explicit"),
        new(Over("QaLora(Rank = 2, {|MC0234:GroupSize = 16|}, Targets = Projections.Query), " + Int4Attention),
            "Groups of 16 inputs cannot be merged exactly into Query (Int4, block 32); only Int4 zero points take them, in blocks that divide the groups",
            Over("QaLora(Rank = 1, GroupSize = 64, Targets = Projections.Query), " + Int4Attention)),
        new(Over("QaLora(Rank = 2, {|MC0234:GroupSize = 32|}, Targets = Projections.Query | Projections.Value), Frozen(Storage.NF4), Frozen(Storage.Int8, Targets = Projections.Value)"),
            "Groups of 32 inputs cannot be merged exactly into Query (NF4, block 64), Value (Int8, block 64); only Int4 zero points take them, in blocks that divide the groups",
            Over("QaLora(Rank = 2, GroupSize = 32, Targets = Projections.Query | Projections.Value), Frozen(Storage.BFloat16)"), "codes"),
    ];

    private const string Int4Attention = "Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention)";

    private static string Over(string attributes) => $"{Tiny}[FineTune<Tiny>, {attributes}] public partial class Recipe;\n";
}
