using System.Text.Json;
using ModelCompiler.Adapters;
using ModelCompiler.CommandLine.Estimators.PyTorch;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Estimators;

/// <summary><c>mc plan --estimator</c>: what other programs would take for the job, in the terms of a plan.</summary>
internal static class Estimates
{
    /// <summary>Our own planner.</summary>
    public const string Own = "own";

    private const string Gelato = "gelato";

    /// <summary>What <c>--estimator</c> takes.</summary>
    public static readonly string[] Names = [Own, Gelato, "pytorch"];

    /// <summary>The estimate of a program other than ours.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="tables">The model.</param>
    /// <param name="plan">The choices; notes say where the program makes others.</param>
    /// <param name="notes">Takes the notes.</param>
    /// <returns>The estimate; null for ours.</returns>
    /// <exception cref="ArgumentException">The program's estimate does not cover the job.</exception>
    public static Estimate? Of(string name, ModelTables tables, TrainingPlan plan, Session notes) => name switch
    {
        Own => null,
        Gelato => OfGelato(tables, plan, notes),
        _ => OfPyTorch(tables, plan, notes),
    };

    private static Estimate OfGelato(ModelTables tables, TrainingPlan plan, Session notes)
    {
        var shape = LlamaShape.From(tables);
        WeightFormat storage = Storage(tables, plan);
        int? bits = storage.Storage switch
        {
            ModelCompiler.Storage.NF4 => 4,
            ModelCompiler.Storage.Int8 => 8,
            ModelCompiler.Storage.Int4 => throw new ArgumentException("GELATO's formula knows NF4, Int8 and 16 bits, not Int4"),
            _ => null,
        };
        AdapterSlot[] slots = Adapters(tables, shape, plan);
        GelatoEstimate estimate = GelatoEstimate.Of(new GelatoJob(shape, plan.Batch, plan.Sequence)
        {
            Bits = bits,
            DoubleQuantized = bits == 8 || storage.DoubleQuantized,
            GradientAccumulation = plan.GradientAccumulation,
            AdapterParameters = slots.Length == 0 ? null : slots.Sum(slot => AdapterParameters(tables, shape, slot, plan.Rank ?? slot.Rank)),
        });
        notes.Note("GELATO's formula assumes checkpointing of every block, bfloat16 and paged 8-bit AdamW, whatever --checkpointing and --optimizer say");
        if (bits is null && storage.Storage != ModelCompiler.Storage.BFloat16)
        {
            notes.Note($"it counts weights that are not quantized in 16 bits, {storage} too");
        }

        if (slots.FirstOrDefault(static s => s.Options is not (LoraOptions or L1raOptions or AdaLoraOptions)) is { } other)
        {
            notes.Note($"it does not know {other.Method}: its adapters count as LoRA's of that rank");
        }

        return Read(estimate.Moment, null, 0, estimate.Terms);
    }

    private static Estimate OfPyTorch(ModelTables tables, TrainingPlan plan, Session notes)
    {
        var shape = LlamaShape.From(tables);
        AdapterSlot[] slots = Adapters(tables, shape, plan);
        if (slots.Length != shape.Projections.Count || slots.Any(static s => s.Options is not LoraOptions || s.Layers is not null))
        {
            throw new ArgumentException($"--estimator pytorch needs LoRA on all seven projections of every layer, which {tables.Name} does not have");
        }

        WeightFormat storage = Storage(tables, plan);
        if (storage is not { Storage: ModelCompiler.Storage.NF4, DoubleQuantized: true })
        {
            throw new ArgumentException($"--estimator pytorch needs weights in double quantized NF4, not {storage}; set --storage NF4");
        }

        var job = new PyTorchJob(shape, plan.Batch, plan.Sequence, plan.Rank ?? slots[0].Rank) { Dropout = slots.Any(static s => s.Dropout > 0), GradientAccumulation = plan.GradientAccumulation };
        PyTorchEstimate estimate = PyTorchEstimate.Of(job);
        notes.Note("the job under PyTorch checkpoints every block and has paged 8-bit AdamW, whatever --checkpointing and --optimizer say");
        PyTorchEstimate tidy = PyTorchEstimate.Of(job with { RetainedOutputs = 0, OuterAutocast = false });
        notes.Note($"it is that of the jobs that were measured (docs/estimators.md); one that keeps no outputs and has one autocast peaks at {ByteSize.Format(tidy.Peak)}");
        notes.Note($"blocks as transformers' {job.Block} class writes them; the CUDA context, some hundred MiB, comes on top of the bytes reserved");
        return Read(estimate.Moment, estimate.Reserved, estimate.Paged, estimate.Terms);
    }

    /// <summary>The slots, which are all on projections that the shape knows, of one rank.</summary>
    private static AdapterSlot[] Adapters(ModelTables tables, LlamaShape shape, TrainingPlan plan)
    {
        if (tables.Slots.FirstOrDefault(slot => Find(tables, shape, slot) < 0) is { } outside)
        {
            throw new ArgumentException($"GELATO and PyTorch estimates know adapters on the projections of layers, not on {outside.Path}");
        }

        return plan.Ranks is null && (plan.Rank is not null || tables.Slots.DistinctBy(static s => s.Rank).Count() < 2)
            ? tables.Slots
            : throw new ArgumentException("GELATO and PyTorch estimates have one rank for all adapters; --rank gives it");
    }

    private static long AdapterParameters(ModelTables tables, LlamaShape shape, AdapterSlot slot, int rank)
    {
        (_, int inputs, int outputs) = shape.Projections[Find(tables, shape, slot)];
        return (slot.Layers?.Count ?? shape.Layers) * (long)rank * (inputs + outputs + (slot.Options is L1raOptions or AdaLoraOptions ? 1 : 0));
    }

    private static int Find(ModelTables tables, LlamaShape shape, AdapterSlot slot) =>
        shape.Projections.Select(static p => p.Path).ToList().IndexOf(tables.KindPath(slot.Path));

    /// <summary>The storage of the projections.</summary>
    private static WeightFormat Storage(ModelTables tables, TrainingPlan plan)
    {
        WeightFormat[] formats =
        [
            .. tables.Parameters.Where(static p => p is { Slot: < 0, PerLayer: true, Vector: false, TrainingOnly: false }).Select(plan.FormatOf).Distinct(),
        ];
        return formats.Length == 1
            ? formats[0]
            : throw new ArgumentException($"GELATO and PyTorch estimates have one storage for all projections, not {string.Join(" and ", formats)}");
    }

    private static Estimate Read(string moment, long? reserved, long paged, IReadOnlyList<EstimateTerm> terms)
    {
        long Of(CostKind kind) => terms.Where(t => t.Kind == kind).Sum(static t => t.Bytes);
        var bytes = new CostBytes(
            Of(CostKind.Weights), Of(CostKind.Adapters), Of(CostKind.Gradients), Of(CostKind.Optimizer), Of(CostKind.Activations), Of(CostKind.Workspace),
            Of(CostKind.Inputs), Of(CostKind.Overhead));
        return new Estimate(bytes, terms.Sum(static t => t.Bytes), paged, new PlanEstimate(
            moment, reserved, [.. terms.Select(static t => new PlanTerm(t.Name, JsonNamingPolicy.CamelCase.ConvertName(t.Kind.ToString()), t.Bytes))]));
    }
}

/// <summary>Another program's estimate as a plan's.</summary>
/// <param name="Bytes">The terms of a plan.</param>
/// <param name="Peak">Their sum.</param>
/// <param name="Paged">Bytes beside the peak, in managed memory.</param>
/// <param name="Detail">What it says beyond that.</param>
internal sealed record Estimate(CostBytes Bytes, long Peak, long Paged, PlanEstimate Detail);
