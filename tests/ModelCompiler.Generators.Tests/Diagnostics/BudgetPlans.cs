using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>What a budget can say of its plan, beside the same plan as a program writes it.</summary>
internal static class BudgetPlans
{
    private static readonly Dictionary<string, (TrainingPlan Plan, BackendProfile? Profile)> All = new()
    {
        [""] = (new TrainingPlan { Sequence = 128 }, null),
        ["Threads = 3"] = (new TrainingPlan { Sequence = 128 }, BackendProfile.Cpu(3)),
        ["Batch = 3, Sequence = 50, Device = Device.Cpu"] = (new TrainingPlan { Batch = 3, Sequence = 50 }, null),
        ["Batch = 3, Device = Device.Cuda"] = (new TrainingPlan { Batch = 3, Sequence = 128 }, BackendProfile.Cuda(DType.BFloat16)),
        ["Batch = 2, Device = Device.Cuda, Storage = Storage.NF4"] =
            (new TrainingPlan { Batch = 2, Sequence = 128, Storage = WeightFormat.NF4(64, doubleQuantized: true) }, BackendProfile.Cuda(DType.BFloat16)),
        ["Batch = 8, Checkpointing = Checkpointing.None"] = (new TrainingPlan { Batch = 8, Sequence = 128, Checkpointing = Checkpointing.None }, null),
        ["Batch = 8, Checkpointing = Checkpointing.Block"] = (new TrainingPlan { Batch = 8, Sequence = 128, Checkpointing = Checkpointing.Block }, null),
        ["Batch = 8, Checkpointing = Checkpointing.Block, CheckpointEvery = 2"] =
            (new TrainingPlan { Batch = 8, Sequence = 128, Checkpointing = Checkpointing.Block, CheckpointEvery = 2 }, null),
        ["Batch = 8, SavedActivations = Storage.BFloat16"] =
            (new TrainingPlan { Batch = 8, Sequence = 128, SavedActivations = ModelCompiler.Storage.BFloat16 }, null),
        ["Optimizer = Optimizer.AdamW8Bit, Rank = 32"] = (new TrainingPlan { Sequence = 128, Optimizer = Optimizer.AdamW8Bit, Rank = 32 }, null),
        ["Storage = Storage.NF4"] = (new TrainingPlan { Sequence = 128, Storage = WeightFormat.NF4(64, doubleQuantized: true) }, null),
        ["Storage = Storage.BFloat16, Sequence = 7"] = (new TrainingPlan { Sequence = 7, Storage = WeightFormat.BFloat16 }, null),
    };

    private static readonly CompiledModels Models = CompiledModels.Of(Recipe());

    public static TheoryData<string> Arguments => [.. All.Keys];

    /// <summary>A recipe with these attributes.</summary>
    public static string Recipe(params string[] attributes) =>
        $"using ModelCompiler.Planning;\n{Sources.Tiny}[FineTune<Tiny>, Lora(Rank = 4)]\n{string.Concat(attributes.Select(attribute => $"[{attribute}]\n"))}public partial class Recipe;\n";

    /// <summary>The attribute with a size and these arguments.</summary>
    public static string Budget(string size, string arguments) => $"MemoryBudget(\"{size}\"{(arguments.Length > 0 ? ", " : "")}{arguments})";

    /// <summary>What the recipe, compiled and run, says that the plan of these arguments takes.</summary>
    public static MemoryCost Cost(string arguments) => Models.MemoryCost("Recipe", All[arguments].Plan, All[arguments].Profile ?? BackendProfile.Cpu(2));

    /// <summary>The batch and sequence of these arguments.</summary>
    public static (int Batch, int Sequence) Step(string arguments) => (All[arguments].Plan.Batch, All[arguments].Plan.Sequence);
}
