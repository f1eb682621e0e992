using System.Diagnostics;
using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Data;
using ModelCompiler.Files;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>
/// Trains a compiled model: optimizer steps over accumulated micro-batches, with metrics, evaluation and checkpoints.
/// Not for several threads at once.
/// </summary>
public sealed class Trainer
{
    /// <summary>Keeps the clip finite where the gradient is zero, as PyTorch does.</summary>
    private const double NormFloor = 1e-6;

    private readonly TransformerModel _model;
    private readonly Batches _data;
    private readonly TrainingOptions _options;
    private readonly MicroBatches _microBatches;
    private readonly TrainingStep _step;
    private readonly AdapterSchedule[] _schedules;
    private readonly LearningRateSchedule _rates;
    private readonly Evaluator? _evaluator;
    private readonly IReadOnlyList<KeyValuePair<string, string>> _facts = [];

    private int _savedSteps;
    private bool _saving;
    private bool _updating;

    /// <summary>Prepares a run, or loads the state of the one to resume.</summary>
    /// <param name="model">A model planned for training, with its weights loaded; the caller disposes it.</param>
    /// <param name="data">The training data; <see cref="Batches.OfStep"/> says which batches a step has.</param>
    /// <param name="options">The choices of the run.</param>
    /// <param name="heldOut">Data to evaluate on; null: none.</param>
    /// <exception cref="ArgumentException">An option is out of range, or batches are larger than the plan.</exception>
    /// <exception cref="CheckpointException">The checkpoint to resume is absent or damaged.</exception>
    /// <exception cref="TrainingException">
    /// The checkpoint belongs to another run (what differs is named), the folder has a checkpoint that is not to be resumed, or nothing is trainable.
    /// </exception>
    /// <exception cref="FolderInUseException">Another run writes the output folder.</exception>
    public Trainer(TransformerModel model, Batches data, TrainingOptions options, Batches? heldOut = null)
    {
        options.Validate();
        (_model, _data, _options) = (model, data, options);
        _microBatches = new MicroBatches(model, data);
        _evaluator = heldOut is null ? null : new Evaluator(model, heldOut);
        _rates = options.Rates;
        _step = new TrainingStep(model);
        _schedules = options.SchedulesOf(model);
        if (_step.IsEmpty)
        {
            throw new TrainingException($"{model.Tables.Name} has no trainable parameter");
        }

        if (options.OutputFolder is not { } folder)
        {
            return;
        }

        _facts = RunFingerprint.Of(model, data, options, _schedules);
        using FolderLock? taken = Directory.Exists(folder) ? TakeLock() : null;
        if (options.Resume)
        {
            CompletedSteps = _savedSteps = TrainingCheckpoint.Load(folder, model, _facts, _schedules);
        }
        else if (TrainingCheckpoint.Exists(folder))
        {
            throw new TrainingException($"{folder} has a checkpoint after step {TrainingCheckpoint.CompletedSteps(folder)}; resume it or train into another folder");
        }
    }

    /// <summary>Optimizer steps completed, those before a resumption included.</summary>
    public int CompletedSteps { get; private set; }

    /// <summary>Opens metrics.jsonl; null: as a file.</summary>
    internal Func<string, Stream>? OpenMetrics { get; init; }

    /// <summary>
    /// Runs the remaining steps. With an output folder, metrics are appended to metrics.jsonl, and the state after the last completed step is
    /// saved at the end, also when the run is canceled or an exception ends it.
    /// </summary>
    /// <param name="progress">Told of every step; what it throws ends the run.</param>
    /// <param name="cancellation">Stops the run after the step under way; an evaluation under way is given up.</param>
    /// <exception cref="TrainingException">Loss or gradient is not finite.</exception>
    /// <exception cref="OutputException">Metrics or a checkpoint cannot be written.</exception>
    /// <exception cref="AggregateException">Another exception ended the run, and one more prevented that its state was saved.</exception>
    public TrainingResult Run(Action<StepMetrics>? progress = null, CancellationToken cancellation = default)
    {
        if (_options.OutputFolder is not { } folder)
        {
            return Run(null, progress, cancellation);
        }

        using FolderLock? taken = TakeLock();
        RequireOwnCheckpoint(folder);
        using var file = new MetricsFile(folder, CompletedSteps, _model.Tables, OpenMetrics);
        try
        {
            return Run(file, progress, cancellation);
        }
        catch (TrainingException error)
        {
            SaveCompleted(error);
            string kept = _savedSteps > 0 ? $"; the checkpoint after step {_savedSteps} is kept" : "";
            throw new TrainingException(error.Message + kept, error);
        }
        catch (Exception error)
        {
            SaveCompleted(error);
            throw;
        }
    }

    private TrainingResult Run(MetricsFile? file, Action<StepMetrics>? progress, CancellationToken cancellation)
    {
        _saving = false;
        long lastSave = _options.Clock.GetTimestamp();
        double? before = CompletedSteps == 0 && _options.EvaluationInterval > 0 ? HeldOutLoss(cancellation) : null;
        double? heldOut = null;
        double loss = double.NaN;
        while (CompletedSteps < _options.Steps && !cancellation.IsCancellationRequested)
        {
            StepMetrics metrics = Step();
            loss = metrics.Loss;
            if (IsDue(_options.EvaluationInterval))
            {
                heldOut = HeldOutLoss(cancellation);
                metrics = metrics with { HeldOutLoss = heldOut };
            }

            file?.Write(metrics);
            progress?.Invoke(metrics);
            Garbage.Limit();
            if (_options.OutputFolder is not null && (IsDue(_options.SaveEvery) || IsLate(lastSave)))
            {
                Save();
                lastSave = _options.Clock.GetTimestamp();
            }
        }

        if (_options.OutputFolder is not null && _savedSteps != CompletedSteps)
        {
            Save();
        }

        return new TrainingResult(CompletedSteps, CompletedSteps < _options.Steps, loss, before, heldOut);
    }

    /// <summary>One optimizer step over the next micro-batches, none of another epoch. Allocates no managed memory once every shape has occurred.</summary>
    /// <exception cref="TrainingException">Loss or gradient is not finite; parameters are as before the step.</exception>
    public StepMetrics Step()
    {
        long start = Stopwatch.GetTimestamp();
        (long first, int count) = _data.OfStep(CompletedSteps, _options.GradientAccumulation);
        long targets = 0;
        for (int i = 0; i < count; i++)
        {
            targets += _data.TargetCount(first + i);
        }

        int step = CompletedSteps + 1;
        if (targets == 0)
        {
            throw new TrainingException($"step {step}: no position of its batches has a target; look at the data");
        }

        foreach (AdapterSchedule schedule in _schedules)
        {
            schedule.BeginStep(step);
        }

        _step.Begin();
        long positions = 0;
        for (int i = 0; i < count; i++)
        {
            if (_microBatches.Take(first + i, 1.0 / targets, DropoutSeed(first + i), out TokenBatch batch))
            {
                _step.Add(batch);
                positions += _microBatches.Positions;
            }
        }

        foreach (AdapterSchedule schedule in _schedules)
        {
            schedule.AddGradients(step);
        }

        double norm = _step.ReadGradientNorm();
        double loss = _step.ReadLoss() / targets;
        RequireFinite(step, loss, norm);
        double rate = _rates.At(step);
        _updating = true;
        double clip = _options.MaximumGradientNorm > 0 ? Math.Min(1, _options.MaximumGradientNorm / (norm + NormFloor)) : 1;
        _step.Update(new AdamWStep(rate, _options.Beta1, _options.Beta2, _options.Epsilon, _options.WeightDecay, step, clip));
        foreach (AdapterSchedule schedule in _schedules)
        {
            schedule.EndStep(step, rate);
        }

        (CompletedSteps, _updating) = (step, false);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return new StepMetrics(step, loss, rate, norm, positions / seconds, seconds, Ranks: Moved());
    }

    private void Save()
    {
        _saving = true;
        TrainingCheckpoint.Save(_options.OutputFolder!, _model, CompletedSteps, _facts, _schedules);
        (_savedSteps, _saving) = (CompletedSteps, false);
    }

    /// <summary>Saves what an exception would lose, unless saving or an update is what failed, or the parameters are not finite.</summary>
    private void SaveCompleted(Exception error)
    {
        if (_saving || _updating || _savedSteps == CompletedSteps)
        {
            return;
        }

        try
        {
            if (_step.IsFinite())
            {
                Save();
            }
        }
        catch (OutputException second) when (error is OutputException first)
        {
            throw new OutputException(first, second);
        }
        catch (Exception second)
        {
            throw new AggregateException($"The state after step {CompletedSteps} could not be saved.", error, second);
        }
    }

    private RankPattern? Moved()
    {
        foreach (AdapterSchedule schedule in _schedules)
        {
            if (schedule.Moved is { } ranks)
            {
                return ranks;
            }
        }

        return null;
    }

    /// <summary>Null where there is nothing to evaluate on, or no time left.</summary>
    private double? HeldOutLoss(CancellationToken cancellation)
    {
        try
        {
            return _evaluator?.Evaluate(cancellation).Loss;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>The lock of the output folder; null where the caller holds it.</summary>
    private FolderLock? TakeLock() => _options is { OutputFolder: { } folder, OutputLock: null } ? FolderLock.Take(folder) : null;

    /// <summary>The folder is not locked between the trainer's making and its run.</summary>
    private void RequireOwnCheckpoint(string folder)
    {
        int there = TrainingCheckpoint.Exists(folder) ? TrainingCheckpoint.CompletedSteps(folder) : 0;
        if (there != _savedSteps)
        {
            throw new TrainingException($"{folder}: another run changed the checkpoint since this trainer was made; resume it or train into another folder");
        }
    }

    private bool IsLate(long lastSave) =>
        _options.SaveInterval != Timeout.InfiniteTimeSpan && _options.Clock.GetElapsedTime(lastSave) >= _options.SaveInterval;

    private bool IsDue(int every) => CompletedSteps == _options.Steps || (every > 0 && CompletedSteps % every == 0);

    private static void RequireFinite(int step, double loss, double norm)
    {
        if (double.IsFinite(loss) && double.IsFinite(norm))
        {
            return;
        }

        string what = double.IsFinite(loss) ? $"the gradient's norm is {norm}" : $"the loss is {loss}";
        throw new TrainingException($"step {step}: {what}; nothing was updated. Lower the learning rate or look at the data of this step");
    }

    /// <summary>Every micro-batch has masks of its own; the generator's mixing makes neighboring seeds unrelated.</summary>
    private ulong DropoutSeed(long microBatch) => _options.Seed * 0x9E37_79B9_7F4A_7C15 + (ulong)microBatch * 0xBF58_476D_1CE4_E5B9;
}
