using ModelCompiler.Generators.Tests.Testing;
using static ModelCompiler.Generators.Tests.Testing.Sources;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>MC02xx and MC03xx.</summary>
internal static class RecipeCases
{
    public static readonly DiagnosticCase[] All =
    [
        new(Over("Lora({|MC0201:Rank = 0|})"), "A rank of 0 adapts nothing: it must be positive", Over("Lora(Rank = 1)")),
        new(Over("Lora({|MC0202:Rank = 33|}, Targets = Projections.Attention)"),
            "A rank of 33 is above the smaller side of Key (64 to 32), Value (64 to 32): a larger rank adds parameters that can express nothing more",
            Over("Lora(Rank = 32, Targets = Projections.Attention)")),
        new(OverGpt("Lora({|MC0203:Targets = Projections.Query | Projections.Gate|})"),
            "'TinyGpt' has no projection Gate: it has Attention, Up, Down, Head",
            OverGpt("Lora(Targets = Projections.All)")),
        new(Over("Lora({|MC0203:Targets = (Projections)512|})"),
            "'Tiny' has no projection 512: it has All, Head",
            Over("Lora(Targets = (Projections)64)"), "undefined"),
        new(Over("Lora(Targets = Projections.Query | Projections.Up), Lora({|MC0204:Targets = Projections.Attention|}, FirstLayer = 2)"),
            "Query already carries [Lora]: one slot carries one adapter, so [Lora] needs other targets",
            Over("Lora(Targets = Projections.Query | Projections.Up), Lora(Targets = Projections.Key)")),
        new(Over("Lora({|MC0205:Dropout = 1|})"), "A dropout of 1 is outside [0, 1)", Over("Lora(Dropout = 0.9f)")),
        new(Over("Lora({|MC0206:Alpha = -16|})"), "An alpha of -16 cannot scale an adapter: it must be positive, or 0 for the rank", Over("Lora(Alpha = 0)")),
        new(Over("Lora({|MC0206:Alpha = float.NaN|})"), "An alpha of NaN cannot scale an adapter: it must be positive, or 0 for the rank", Over("Lora(Alpha = 0.1f)"), "NaN"),
        new(Over("Lora({|MC0207:FirstLayer = 5|})"), "FirstLayer is 5: layers are 0 to 4", Over("Lora(FirstLayer = 4)")),
        new(Over("Lora({|MC0207:FirstLayer = -1|})"), "FirstLayer is -1: layers are 0 to 4", Over("Lora(FirstLayer = 0)"), "negative"),
        new(Tiny + "[FineTune<Tiny>] public partial class {|MC0208:Recipe|};",
            "'Recipe' trains nothing: add an adapter such as [Lora(Rank = 8)]", Over("Lora")),
        new(Over("{|MC0209:Magic|}") + "public sealed class MagicAttribute : AdapterAttribute;",
            "[Magic] is not a method that the compiler knows: it knows AdaLora, Dora, DyLora, L1ra, Lamda, LamdaPlusPlus, Lora, QaLora", Over("Lora")),
        new(Over("Lora({|MC0210:Targets = Projections.None|})"), "[Lora] targets no projection: give Targets, for example Projections.All", Over("Lora(Targets = Projections.Head)")),
        new(Over("Lora(Initialization = LoraInitialization.Loftq, {|MC0211:Iterations = 0|}), Frozen(Storage.NF4)"),
            "Iterations is 0: Loftq iterates once or more, other starts do not", Over("Lora(Initialization = LoraInitialization.Loftq, Iterations = 5), Frozen(Storage.NF4)")),
        new(Over("Lora(Initialization = LoraInitialization.Pissa, {|MC0211:Iterations = 2|})"),
            "Iterations is 2: Loftq iterates once or more, other starts do not", Over("Lora(Initialization = LoraInitialization.Pissa)"), "PiSSA"),
        new(Over("Lora({|MC0212:Initialization = LoraInitialization.Pissa|}, Targets = Projections.Value | Projections.Head)"),
            "Start Pissa changes the weight it starts from, and the head's is the token embedding: leave the head out of Targets, or untie it",
            Over("Lora(Initialization = LoraInitialization.Gaussian, Targets = Projections.Value | Projections.Head)")),
        new(Over("DyLora(Rank = 8, Targets = Projections.Attention), DyLora({|MC0214:Rank = 16|}, Targets = Projections.FeedForward)"),
            "Every step draws one rank for all adapters, but this [DyLora] and the one before differ in Rank",
            Over("DyLora(Rank = 8, Targets = Projections.Attention), DyLora(Rank = 8, Alpha = 4, Targets = Projections.FeedForward)")),
        new(Over("DyLora(Targets = Projections.Attention), DyLora({|MC0214:FullRankShare = 0.5|}, Targets = Projections.FeedForward)"),
            "Every step draws one rank for all adapters, but this [DyLora] and the one before differ in FullRankShare",
            Over("DyLora(FullRankShare = 0.5, Targets = Projections.Attention), DyLora(FullRankShare = 0.5, RankStabilized = true, Targets = Projections.FeedForward)"), "share"),
        new(Over("DyLora({|MC0215:FullRankShare = 1.1|})"), "FullRankShare is 1.1: it is a share of the steps, from 0 to 1", Over("DyLora(FullRankShare = 1)")),
        new(Over("DyLora({|MC0215:FullRankShare = -0.1|})"), "FullRankShare is -0.1: it is a share of the steps, from 0 to 1", Over("DyLora(FullRankShare = 0)"), "negative"),
        new(Over("DyLora({|MC0215:FullRankShare = double.NaN|})"), "FullRankShare is NaN: it is a share of the steps, from 0 to 1", Over("DyLora(FullRankShare = 0.7)"), "NaN"),
        new(Over("Lora({|MC0221:Initialization = (LoraInitialization)4|})"), "Initialization 4 is none of Kaiming, Gaussian, Pissa, Loftq", Over("Lora(Initialization = LoraInitialization.Kaiming)")),
        new(Over("Lamda({|MC0220:FreezeUntil = 1.5|})"), "FreezeUntil is 1.5: it is a part of the steps, from 0 to 1", Over("Lamda(FreezeUntil = 1)")),
        new(Over("Lamda({|MC0220:FreezeUntil = double.NaN|})"), "FreezeUntil is NaN: it is a part of the steps, from 0 to 1", Over("Lamda(FreezeUntil = 0.05)"), "NaN"),
        new(Over("Lamda({|MC0221:Initialization = (LamdaInitialization)3|})"), "Initialization 3 is none of Spectral, SpectralResidual, Random", Over("Lamda(Initialization = LamdaInitialization.Random)"), "LaMDA"),
        new(Over("Lamda(Initialization = LamdaInitialization.Random, {|MC0222:FreezeUntil = 0|})"),
            "Nothing would ever train: a random start has B = 0, and with FreezeUntil = 0 it stays so, which leaves S without a gradient",
            Over("Lamda(Initialization = LamdaInitialization.SpectralResidual, FreezeUntil = 0)")),
        new(Over("Lamda({|MC0201:Rank = 0|})"), "A rank of 0 adapts nothing: it must be positive", Over("Lamda(Rank = 1)"), "LaMDA"),
        new(Over("LamdaPlusPlus({|MC0202:Rank = 33|}, Targets = Projections.Key)"), "A rank of 33 is above the smaller side of Key (64 to 32): a larger rank adds parameters that can express nothing more", Over("LamdaPlusPlus(Rank = 32, Targets = Projections.Key)"), "LaMDA++"),
        new(Over("LamdaPlusPlus({|MC0220:FreezeUntil = -1|})"), "FreezeUntil is -1: it is a part of the steps, from 0 to 1", Over("LamdaPlusPlus(FreezeUntil = 0.5)"), "LaMDA++"),
        new(Over("Lora(Targets = Projections.Query), Lamda({|MC0204:Targets = Projections.Attention|})"),
            "Query already carries [Lora]: one slot carries one adapter, so [Lamda] needs other targets",
            Over("Lora(Targets = Projections.Query), Lamda(Targets = Projections.Key)"), "LaMDA"),

        new(Over("L1ra(Targets = Projections.Attention), L1ra({|MC0241:Lambda = 0.01|}, Targets = Projections.FeedForward)"),
            "Ranks move between all [L1ra] adapters at once, but this one and the one before differ in Lambda",
            Over("L1ra(Targets = Projections.Attention), L1ra(Rank = 4, Targets = Projections.FeedForward)")),
        new(Over("L1ra(Rank = 8, {|MC0242:MaximumRank = 7|})"), "MaximumRank is 7, below the rank 8 that training starts with", Over("L1ra(Rank = 8, MaximumRank = 8)")),
        new(Over("L1ra({|MC0243:UpdateRatio = 0|})"), "UpdateRatio is 0: it must be above 0 and at most 1", Over("L1ra(UpdateRatio = 1)")),
        new(Over("L1ra({|MC0243:GateRate = double.NaN|})"), "GateRate is NaN: it must be above 0", Over("L1ra(GateRate = 0.001)"), "NaN"),
        new(Over("L1ra({|MC0243:Lambda = -1|})"), "Lambda is -1: it must be at least 0", Over("L1ra(Lambda = 0)"), "negative"),
        new(Over("L1ra({|MC0243:PruneThreshold = 1|})"), "PruneThreshold is 1: it must be from 0 to below 1", Over("L1ra(PruneThreshold = 0.5)"), "threshold"),

        new(Over("Lora, Frozen({|MC0301:(Storage)77|})"), "Storage 77 is none of Float32, BFloat16, NF4, Int8, Int4", Over("Lora, Frozen(Storage.BFloat16)")),
        new(Over("Lora, Frozen(Storage.NF4, {|MC0302:BlockSize = 48|})"), "A block size of 48 is not a power of two from 32 to 4096", Over("Lora, Frozen(Storage.NF4, BlockSize = 4096)")),
        new(Over("Lora, Frozen(Storage.Int8, {|MC0302:BlockSize = 16|})"), "A block size of 16 is not a power of two from 32 to 4096", Over("Lora, Frozen(Storage.Int8, BlockSize = 32)"), "small"),
        new(Over("Lora, Frozen(Storage.BFloat16, {|MC0303:BlockSize = 64|})"),
            "BFloat16 has no blocks: BlockSize belongs to NF4, Int8 and Int4", Over("Lora, Frozen(Storage.NF4, BlockSize = 64)")),
        new(Over("Lora, Frozen(Storage.Int8, {|MC0304:DoubleQuantized = true|})"), "Int8 cannot be double quantised: only NF4 can", Over("Lora, Frozen(Storage.NF4, DoubleQuantized = true)")),
        new(Over("Lora, Frozen(Storage.Int4, {|MC0305:BlockSize = 4096|}, Targets = Projections.Query)"),
            "Int4 groups of 4096 do not divide the inputs of Query (64 inputs)", Over("Lora, Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Query)")),
        new(Over("Lora, Frozen(Storage.NF4, {|MC0306:Targets = Projections.Head|})"),
            "The head is the token embedding, which is looked up row by row and cannot be NF4: leave the head out of Targets, or untie it", Over("Lora, Frozen(Storage.NF4)")),
        new(Over("Lora, Frozen(Storage.NF4), {|MC0307:Frozen(Storage.BFloat16)|}"),
            "The storage of All was said before: a second [Frozen] needs Targets of its own", Over("Lora, Frozen(Storage.NF4), Frozen(Storage.BFloat16, Targets = Projections.Down)")),
        new(Over("Lora({|MC0308:Initialization = LoraInitialization.Loftq|}), Frozen(Storage.NF4), Frozen(Storage.Int8, Targets = Projections.Down)"),
            "Loftq starts from what NF4 loses of a weight, and the storage is another: Down (Int8)",
            Over("Lora(Initialization = LoraInitialization.Loftq, Targets = Projections.Attention), Frozen(Storage.NF4), Frozen(Storage.Int8, Targets = Projections.Down)")),
        new(Over("Lora, Frozen(Storage.NF4, {|MC0203:Targets = (Projections)1024|})"), "'Tiny' has no projection 1024: it has All, Head", Over("Lora, Frozen(Storage.NF4, Targets = Projections.Up)"), "frozen"),
    ];

    private static string Over(string attributes) => $"{Tiny}[FineTune<Tiny>, {attributes}] public partial class Recipe;\n";

    private static string OverGpt(string attributes) => $"{TinyGpt}[FineTune<TinyGpt>, {attributes}] public partial class Recipe;\n";
}
