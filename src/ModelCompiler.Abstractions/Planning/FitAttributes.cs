using System.Globalization;
using ModelCompiler.Adapters;

namespace ModelCompiler.Planning;

/// <summary>
/// The attributes that would fix a plan in its recipe: what of it differs from what is declared, and the budget it was made for. An
/// adapter's attribute is whole, so that it can take the place of the recipe's.
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
            lines.AddRange(tables.Slots.GroupBy(static s => (s.Options, s.Alpha, s.Layers))
                .Select(g => Adapter(tables, g.ToArray(), rank)));
        }

        string every = plan.Checkpointing == Checkpointing.Block && plan.CheckpointEvery > 1 ? $", CheckpointEvery = {Number(plan.CheckpointEvery)}" : "";
        string activations = plan.SavedActivations == ModelCompiler.Storage.Float32 ? "" : $", SavedActivations = Storage.{plan.SavedActivations}";
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

    private static string Layers(ModelTables tables, LayerSet? layers) =>
        layers is null ? ""
        : layers.Equals(LayerSet.Range(layers.First, tables.Layers - 1)) ? $", FirstLayer = {Number(layers.First)}"
        : $", Layers = \"{layers}\"";

    /// <summary>The attribute of slots that have the same options, at a rank.</summary>
    private static string Adapter(ModelTables tables, AdapterSlot[] slots, int rank)
    {
        AdapterSlot first = slots[0];
        AdapterOptions options = first.Options.WithRank(rank, slots.Max(static s => s.MaximumRank)) with { Alpha = first.Alpha };
        string[] always = [options.RankArgument, nameof(options.Alpha)];
        IEnumerable<AdapterArgument> arguments = options.Arguments.Where(a => always.Contains(a.Name))
            .OrderBy(a => Array.IndexOf(always, a.Name))
            .Concat(options.Changed.Where(a => !always.Contains(a.Name)));
        int projections = tables.Parameters.Count(static r => r.IsFrozenWeight && r.PerLayer && !r.Vector);
        IEnumerable<string> targets = slots.Select(static s => "Projections." + s.Path.Substring(s.Path.LastIndexOf('.') + 1)).Distinct();
        return $"[{options.Attribute}({string.Join(", ", arguments.Select(static a => $"{a.Name} = {a.Literal}"))}"
            + Layers(tables, first.Layers)
            + (slots.Length < projections || slots.Any(static s => s.Path == "Head") ? $", Targets = {string.Join(" | ", targets)}" : "")
            + ")]";
    }

    /// <summary>The size in the largest unit that says it exactly.</summary>
    private static string Size(long bytes) =>
        bytes % (1L << 30) == 0 ? Number(bytes >> 30) + " GiB"
        : bytes % (1L << 20) == 0 ? Number(bytes >> 20) + " MiB"
        : bytes % 1_000_000 == 0 ? Number(bytes / 1_000_000) + " MB"
        : Number(bytes) + " B";

    private static string Number(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
