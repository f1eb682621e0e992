using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Numerics;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>
/// Everything the numbers of a run depend on: recipe, plan, data, options. A run that is resumed must have the same, else it would
/// silently be another run.
/// </summary>
internal static class RunFingerprint
{
    /// <summary>The facts in a fixed order, name and value.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Of(TransformerModel model, Batches data, TrainingOptions options, IEnumerable<AdapterSchedule> schedules)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        var profile = model.Plan.Profile;
        return
        [
            new("model", model.Tables.Name),
            new("adapters", string.Join(", ", model.Tables.Slots.Select((s, i) => Adapter(s, model.Plan.Sizes.Ranks[i])))),
            .. model.Plan.Sizes.Pattern is { } ranks ? [KeyValuePair.Create("ranks", ranks.ToString())] : Array.Empty<KeyValuePair<string, string>>(),
            .. schedules.Where(s => s.Fact.Length > 0).Select(s => KeyValuePair.Create(s.GetType().Name, s.Fact)),
            new("base weights", Frozen(model).ToString("x16", culture)),
            new("backend", profile.Name),
            new("threads", profile.Threads.ToString(culture)),
            new("batch", data.BatchSize.ToString(culture)),
            new("sequence", data.Sequence.ToString(culture)),
            new("accumulate", options.GradientAccumulation.ToString(culture)),
            new("chunk rows", model.Plan.Sizes.Rows.ToString(culture)),
            new("checkpointing", model.Checkpointing.ToString()),
            new("data and its seed", data.Fingerprint.ToString("x16", culture)),
            new("seed", options.Seed.ToString(culture)),
            new("schedule", options.Schedule == Schedule.Constant
                ? string.Create(culture, $"Constant, rate {options.LearningRate}, warm-up {options.WarmupSteps}")
                : string.Create(culture, $"{options.Schedule} over {options.Steps} steps, rate {options.LearningRate} to {options.MinimumLearningRate}, warm-up {options.WarmupSteps}")),
            new("optimizer", string.Create(culture, $"{model.Plan.Optimizer}{EightBit(model)}, betas {options.Beta1} and {options.Beta2}, epsilon {options.Epsilon}, decay {options.WeightDecay}, clip {options.MaximumGradientNorm}")),
        ];
    }

    private static string Adapter(AdapterSlot slot, int rank) => string.Create(
        CultureInfo.InvariantCulture,
        $"{slot.Method} {slot.Path} of {(slot.Layers is null ? "all layers" : $"layers {slot.Layers}")}, rank {rank}, scale {slot.Scale(rank)}, {Text(slot.Options)}");

    private static string Text(AdapterOptions options) => string.Join(", ", options.Arguments.Select(a => $"{a.Name} {a.Literal}"));

    /// <summary>How many parameters have 8-bit moments, for their number changes with the plan's threshold.</summary>
    private static string EightBit(TransformerModel model) =>
        model.Trainable.Count(p => p.Moments.Storage == MomentStorage.Blockwise) is > 0 and var count
            ? string.Create(CultureInfo.InvariantCulture, $" with 8-bit moments of {count} parameters")
            : "";

    /// <summary>A hash of the first row, or first codes, of each frozen parameter of the base: tells base models apart without reading all of them.</summary>
    private static ulong Frozen(TransformerModel model)
    {
        ulong hash = Fnv.Start;
        foreach (Parameter parameter in model.Parameters.Where(p => !p.Info.Trainable && p.Info.Slot < 0))
        {
            Tensor first = parameter.Value.Type.IsQuantized() ? parameter.Value.Bytes : parameter.Value.Slice(0, 1);
            first = first with { Columns = Math.Min(first.Columns, parameter.Value.Columns) };
            var values = new float[first.Columns];
            model.Backend.Read(first, values);
            hash = Fnv.Add<float>(hash, values);
        }

        return hash;
    }
}
