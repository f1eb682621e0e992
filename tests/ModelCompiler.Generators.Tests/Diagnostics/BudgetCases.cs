using ModelCompiler.Generators.Tests.Testing;
using static ModelCompiler.Generators.Tests.Testing.Sources;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>MC04xx: what a budget says. Whether it holds is in <see cref="MemoryBudgetTests"/>, what is shown of it in <see cref="PeakAnalyzerTests"/>.</summary>
internal static class BudgetCases
{
    private const string Size = "it must be positive";

    public static readonly DiagnosticCase[] All =
    [
        new(Over("MemoryBudget({|MC0402:\"four gigs\"|})"),
            "'four gigs' is not a size; write a number and a unit, for example \"4 GiB\" or \"24 GB\"", Over("MemoryBudget(\"4 GiB\")")),
        new(Over("MemoryBudget(\"4 GiB\"), MemoryBudget({|MC0402:budget: \"0 GiB\"|}, Batch = 2)"),
            "'0 GiB' is not a size; write a number and a unit, for example \"4 GiB\" or \"24 GB\"", Over("MemoryBudget(\"4 GiB\"), MemoryBudget(\"5 GB\", Batch = 2)"), "second"),

        new(Given("{|MC0403:Batch = 0|}"), $"MemoryBudget.Batch is 0; {Size}", Given("Batch = 1"), "batch"),
        new(Given("{|MC0403:Batch = 16_777_216|}"),
            "MemoryBudget.Batch is 16777216; it must be at most 16777215; a step has fewer than 2^31 tokens", Given("Batch = 16_777_216, Sequence = 127").With("4 GiB", "8000 TiB"), "tokens"),
        new(Given("{|MC0403:Sequence = -1|}"), $"MemoryBudget.Sequence is -1; {Size}", Given("Sequence = 0"), "sequence"),
        new(Given("{|MC0403:Threads = 0|}"), "MemoryBudget.Threads is 0; it must be from 1 to 1024", Given("Threads = 1"), "threads"),
        new(Given("{|MC0403:Threads = 1025|}"), "MemoryBudget.Threads is 1025; it must be from 1 to 1024", Given("Threads = 1024"), "many threads"),
        new(Given("{|MC0403:Checkpointing = (Checkpointing)9|}"),
            "MemoryBudget.Checkpointing is 9; it must be one of None, Selective, Block", Given("Checkpointing = Checkpointing.None"), "checkpointing"),
        new(Given("Checkpointing = Checkpointing.Block, {|MC0403:CheckpointEvery = 0|}"),
            $"MemoryBudget.CheckpointEvery is 0; {Size}", Given("Checkpointing = Checkpointing.Block, CheckpointEvery = 1"), "every no layer"),
        new(Given("{|MC0403:CheckpointEvery = 2|}"),
            "MemoryBudget.CheckpointEvery is 2; it must be 1 unless Checkpointing is Block", Given("CheckpointEvery = 2, Checkpointing = Checkpointing.Block"), "every without blocks"),
        new(Given("{|MC0403:SavedActivations = Storage.NF4|}"),
            "MemoryBudget.SavedActivations is 2; it must be Storage.Float32 or Storage.BFloat16", Given("SavedActivations = Storage.BFloat16"), "activations"),
        new(Given("{|MC0403:Optimizer = (Optimizer)3|}"),
            "MemoryBudget.Optimizer is 3; it must be one of AdamW, AdamW8Bit, PagedAdamW", Given("Optimizer = Optimizer.PagedAdamW"), "optimizer"),
        new(Given("{|MC0403:Rank = -1|}"), $"MemoryBudget.Rank is -1; {Size}", Given("Rank = 1"), "rank"),

        new(Given("{|MC0404:Sequence = 129|}"), "Sequence 129 exceeds the context 128 of 'Tiny'", Given("Sequence = 128")),
        new(Given("{|MC0405:Device = (Device)7|}"), "Unknown device 7; the planner knows Cpu, Cuda", Given("Device = Device.Cpu")),

        new(Given("{|MC0406:Rank = 33|}"),
            "Rank 33 for all adapters exceeds the largest rank of Attention.Key (32), Attention.Value (32)", Given("Rank = 32")),
        new(Over("Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Query), MemoryBudget(\"4 GiB\", {|MC0406:Rank = 3|})").With("Lora,", "QaLora(Rank = 2, Targets = Projections.Query),"),
            "Rank 3 for all adapters exceeds the largest rank of Attention.Query (2)",
            Over("Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Query), MemoryBudget(\"4 GiB\", Rank = 1)").With("Lora,", "QaLora(Rank = 2, Targets = Projections.Query),"), "groups"),

        new(Over("MemoryBudget(\"8 GiB\", Threads = 2), {|MC0407:MemoryBudget(\"4 GiB\", Sequence = 128)|}"),
            "A budget of 8 GiB is already set for the same plan on Cpu; only the smaller one counts",
            Over("MemoryBudget(\"8 GiB\", Threads = 2), MemoryBudget(\"4 GiB\", Sequence = 127)")),

        new(Given("{|MC0301:Storage = (Storage)5|}"), "Unknown storage 5; the compiler knows Float32, BFloat16, NF4, Int8, Int4", Given("Storage = Storage.NF4"), "budget"),
        new(Given("{|MC0305:Storage = Storage.Int4|}"), "Int4 groups of 64 do not divide the inputs of Down (172 inputs)", Given("Storage = Storage.Int8"), "budget"),
    ];

    private static string Given(string argument) => Over($"MemoryBudget(\"4 GiB\", {argument})");

    private static string Over(string attributes) => $"using ModelCompiler.Planning;\n{Tiny}[FineTune<Tiny>, Lora, {attributes}] public partial class Recipe;\n";
}
