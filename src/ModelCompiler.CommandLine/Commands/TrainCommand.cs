using System.CommandLine;
using System.Diagnostics;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Commands;

/// <summary><c>mc train</c>: fine-tunes a base on a file of data.</summary>
internal sealed class TrainCommand : HostCommand
{
    private readonly Argument<string> _model = ModelArgument.Create();
    private readonly WeightOptions _weights = new();
    private readonly PlanOptions _plan = new();
    private readonly RunOptions _run = new();
    private readonly Option<string> _data = new("--data") { Description = "Training data: .jsonl, .json or .txt", Required = true };
    private readonly Option<string> _out = new("--out") { Description = "Folder for the adapter, the checkpoint and metrics.jsonl", Required = true };
    private readonly Option<string?> _evaluate = new("--evaluate") { Description = "Held-out data; its loss is measured before and after training" };
    private readonly DataOptions _rows = new();
    private readonly Option<string> _saveEvery = SaveEveryOption.Create();
    private readonly Option<bool> _resume = new("--resume") { Description = "Resume from the checkpoint in --out" };

    public TrainCommand(Session session)
        : base("train", "Fine-tune a base on a file of data", session)
    {
        Add(_model);
        _weights.AddTo(this, withAdapter: false);
        foreach (Option option in (ReadOnlySpan<Option>)[_data, _out, _evaluate, _saveEvery, _resume])
        {
            Add(option);
        }

        _rows.AddTo(this);
        _run.AddTo(this);
        _plan.AddTo(this);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        ModelEntry entry = ModelArgument.Find(arguments.GetRequiredValue(_model));
        TrainingPlan plan = _plan.Read(arguments, entry.Tables);
        string output = arguments.GetRequiredValue(_out);
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        TrainingOptions options = Choices(arguments, plan, output, seed);
        PlanOptions.Check(() => plan.SizesFor(entry.Tables));
        if (entry.Tables.Slots.Length == 0)
        {
            BaseFolder.RequireNoShards(output);
        }

        string basePath = _weights.Base(arguments, entry.Tables);
        OutputFolder.RequireKept(output, basePath, ("--data", arguments.GetValue(_data)), ("--evaluate", arguments.GetValue(_evaluate)));
        using FolderLock taken = OutputFolder.Take(output, ("--base", basePath));
        options = options with { OutputLock = taken };
        (ExampleSet examples, ExampleSet? heldOut) = ReadData(arguments, entry, plan, basePath);
        plan = BaseRanks.Choose(Session, entry, plan, basePath, WeightOptions.Ignored(arguments), cancellation);
        using var native = new NativeMemoryScope();
        using TransformerModel model = BoundModel.ForTraining(arguments, entry, plan);
        BoundModel.Load(model, basePath, adapter: null, seed, WeightOptions.Ignored(arguments));
        var batches = new Batches(examples, plan.Batch, plan.Sequence, seed);
        Batches? heldOutBatches = heldOut is null ? null : new Batches(heldOut, plan.Batch, plan.Sequence, seed: null);
        TrainingRun run = TrainingRun.Run(Session, entry.Tables.Name, model, batches, options, heldOutBatches, cancellation);
        if (run.Result.Cancelled)
        {
            string left = run.Result.Steps == 0 ? "" : $"; the checkpoint is in {output}, --resume goes on from it";
            Session.Note($"interrupted after step {run.Result.Steps} of {options.Steps}{left}");
            return ExitCode.Interrupted;
        }

        ProcessMemory.GiveBack();
        if (model.Adapters.Count > 0)
        {
            AdapterFiles.Save(model, output, basePath);
        }
        else
        {
            BaseFolder.Save(model, basePath, output);
        }

        TrainResult result = Result(model, native.PeakBytes, run, output, examples, heldOut);
        Session.Emit(result, HostJson.Default.TrainResult, console => Show(console, result));
        return ExitCode.Done;
    }

    private TrainingOptions Choices(ParseResult arguments, TrainingPlan plan, string output, ulong seed)
    {
        TrainingOptions run = SaveEveryOption.Apply(_run.Read(arguments), arguments.GetValue(_saveEvery)!);
        return run with
        {
            GradientAccumulation = plan.GradientAccumulation,
            Seed = seed,
            EvaluationInterval = arguments.GetValue(_evaluate) is null ? 0 : run.Steps,
            OutputFolder = output,
            Resume = arguments.GetValue(_resume),
        };
    }

    /// <summary>The data, in a method of its own: nothing of the tokenizer and the texts is left when the arena is made.</summary>
    private (ExampleSet Training, ExampleSet? HeldOut) ReadData(ParseResult arguments, ModelEntry entry, TrainingPlan plan, string basePath)
    {
        Tokenizer tokenizer = PretrainedTokenizer.Load(basePath);
        ExampleOptions rows = _rows.Read(arguments, entry.Tables, plan.Sequence);
        ExampleSet Read(string file) => Examples.Read(Session, file, tokenizer, rows);
        return (Read(arguments.GetRequiredValue(_data)), arguments.GetValue(_evaluate) is { } file ? Read(file) : null);
    }

    private static TrainResult Result(TransformerModel model, long peak, TrainingRun run, string output, ExampleSet examples, ExampleSet? heldOut)
    {
        MemoryCost cost = model.Plan.Cost with { Data = examples.Bytes + (heldOut?.Bytes ?? 0) };
        using Process process = Process.GetCurrentProcess();
        return new TrainResult(
            model.Tables.Name,
            run.Result.Steps,
            run.Losses,
            run.Result.HeldOutAfter is null ? null : new BeforeAfter(run.Result.HeldOutBefore, run.Result.HeldOutAfter),
            run.TokensPerSecond,
            new TrainMemory(cost.Allocated, peak, cost.Data, cost.Overhead, cost.HostPeak, process.PeakWorkingSet64),
            AdapterRanks.Json(AdapterRanks.Of(model)),
            Path.GetFullPath(output),
            DataCounts.Of(examples)!,
            DataCounts.Of(heldOut));
    }

    private static void Show(IAnsiConsole console, TrainResult result)
    {
        Table table = Tables.Create("training", "");
        table.AddRow("steps", Tables.Count(result.Steps));
        if (result.Loss.Length > 0)
        {
            table.AddRow("loss, first and last step", $"{Tables.Number(result.Loss[0], 4)} to {Tables.Number(result.Loss[^1], 4)}");
        }

        if (result.EvalLoss is { } held)
        {
            table.AddRow("held-out loss", $"{(held.Before is { } before ? Tables.Number(before, 4) : "?")} to {Tables.Number(held.After!.Value, 4)}");
        }

        table.AddRow("tokens/s", Tables.Count((long)result.TokensPerSecond));
        table.AddRow("memory predicted", Tables.Bytes(result.Memory.Predicted));
        table.AddRow("memory allocated", Tables.Bytes(result.Memory.Allocated));
        table.AddRow("data", Tables.Bytes(result.Memory.Data));
        table.AddRow("overhead", Tables.Bytes(result.Memory.Overhead));
        table.AddRow("peak", Tables.Bytes(result.Memory.Peak));
        table.AddRow("memory resident", Tables.Bytes(result.Memory.Resident));
        console.Write(table);
        console.WriteLine($"written to {result.Out}");
    }
}
