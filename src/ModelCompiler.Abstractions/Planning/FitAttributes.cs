using System.Globalization;

namespace ModelCompiler.Planning;

/// <summary>
/// The attributes that would fix a plan in its recipe: what of it differs from what is declared, and the budget it was made for. A method's own
/// arguments, which no plan changes, stay as they are and are not said again.
/// </summary>
internal static class FitAttributes
{
    /// <summary>One line for each attribute.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="budget">The budget in bytes.</param>
    public static IReadOnlyList<string> Of(ModelTables tables, BackendProfile profile, TrainingPlan plan, long budget)
    {
        var lines = new List<string>();
        if (plan.Storage is { } storage)
        {
            string block = storage.BlockSize > 0 ? $", BlockSize = {Number(storage.BlockSize)}" : "";
            lines.Add($"[Frozen(Storage.{storage.Storage}{block}{(storage.DoubleQuantized ? ", DoubleQuantized = true" : "")})]");
        }

        if (plan.Rank is { } rank && plan.Ranks is null)
        {
            lines.AddRange(tables.Slots.GroupBy(static s => (s.Method, s.Alpha, s.RankStabilized, s.Dropout, s.FirstLayer)).Select(g =>
                $"[{Attribute(g.Key.Method)}({(g.Key.Method == "AdaLoRA" ? "InitialRank" : "Rank")} = {Number(rank)}, Alpha = {Number(g.Key.Alpha)}{Rest(tables, g.ToArray())})]"));
        }

        string every = plan.Checkpointing == Checkpointing.Block && plan.CheckpointEvery > 1 ? $", CheckpointEvery = {Number(plan.CheckpointEvery)}" : "";
        string activations = plan.SavedActivations == ModelCompiler.Storage.Float32 ? "" : $", Activations = Storage.{plan.SavedActivations}";
        if (Devices.Of(profile) is not { } device)
        {
            return lines;
        }

        string place = device == Device.Cpu ? $"Threads = {Number(profile.Threads)}" : $"Device = Device.{device}";
        lines.Add(
            $"[MemoryBudget(\"{Size(budget)}\", {place}, Batch = {Number(plan.Batch)}, Sequence = {Number(plan.Sequence)}, " +
            $"Checkpointing = Checkpointing.{plan.Checkpointing}{every}, Optimizer = Optimizer.{plan.Optimizer}{activations})]");
        return lines;
    }

    /// <summary>What a group of adapters says that is not the attributes' default.</summary>
    private static string Rest(ModelTables tables, AdapterSlot[] slots)
    {
        AdapterSlot first = slots[0];
        int projections = tables.Parameters.Count(static r => r.IsFrozenWeight && r.PerLayer && !r.Vector);
        IEnumerable<string> targets = slots.Select(static s => "Projections." + s.Path.Substring(s.Path.LastIndexOf('.') + 1)).Distinct();
        return (first.MovingRanks ? $", MaximumRank = {Number(slots.Max(static s => s.MaximumRank))}" : "")
            + (first.RankStabilized ? ", RankStabilized = true" : "")
            + (first.Dropout > 0 ? $", Dropout = {Number(first.Dropout)}f" : "")
            + (first.FirstLayer > 0 ? $", FirstLayer = {Number(first.FirstLayer)}" : "")
            + (slots.Length < projections || slots.Any(static s => s.Path == "Head") ? $", Targets = {string.Join(" | ", targets)}" : "");
    }

    /// <summary>The name of a method's attribute: the method's in the letters of a C# name.</summary>
    private static string Attribute(string method) => method switch
    {
        "LoRA" => "Lora",
        "DoRA" => "Dora",
        "AdaLoRA" => "AdaLora",
        "DyLoRA" => "DyLora",
        "QA-LoRA" => "QaLora",
        "LaMDA" => "Lamda",
        "LaMDA++" => "LamdaPlusPlus",
        "L1RA" => "L1ra",
        _ => method,
    };

    /// <summary>The size in the largest unit that says it exactly.</summary>
    private static string Size(long bytes) =>
        bytes % (1L << 30) == 0 ? Number(bytes >> 30) + " GiB"
        : bytes % (1L << 20) == 0 ? Number(bytes >> 20) + " MiB"
        : bytes % 1_000_000 == 0 ? Number(bytes / 1_000_000) + " MB"
        : Number(bytes) + " B";

    private static string Number(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
