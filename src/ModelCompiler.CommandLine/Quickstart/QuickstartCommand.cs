using System.CommandLine;
using System.Diagnostics;
using ModelCompiler.CommandLine.Commands;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Files;
using ModelCompiler.Generation;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Peft;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary><c>mc quickstart</c>: the main job end to end on data that every machine with an SDK has.</summary>
internal sealed class QuickstartCommand : HostCommand
{
    internal const string Recipe = "DocsWriter_Lora";
    private const int SampleCount = 3;
    private const int SampleTokens = 64;

    private readonly Option<string?> _data = new("--data") { Description = "Your own .jsonl of {prompt, completion} rows instead of the SDK's documentation" };
    private readonly Option<string?> _base = new("--base") { Description = "Folder of the base model; default: the bundled one" };
    private readonly Option<string> _out = new("--out") { Description = "Folder for the adapter", DefaultValueFactory = _ => Path.Combine("artifacts", "quickstart") };
    private readonly Option<int> _steps = NumberOptions.Whole("--steps", "Optimizer steps", 1000);
    private readonly Option<int?> _heldOut = NumberOptions.OptionalWhole("--held-out", "Evaluate on this many of the held-out rows only");

    public QuickstartCommand(Session session)
        : base("quickstart", "Fine-tune a small model to write API summaries, end to end in under three minutes", session)
    {
        Add(_data);
        Add(_base);
        Add(_out);
        Add(_steps);
        Add(_heldOut);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        if (!ModelRegistry.TryFind(Recipe, out ModelEntry? recipe) || !ModelRegistry.TryFind(recipe.Tables.Architecture, out ModelEntry? architecture))
        {
            throw new UsageException($"the quickstart runs the recipe {Recipe}, which this program does not have; run it with the repository's own mc");
        }

        string basePath = BaseFolder(arguments);
        string output = arguments.GetRequiredValue(_out);
        OutputFolder.RequireKept(output, basePath, ("--data", arguments.GetValue(_data)));
        using FolderLock taken = OutputFolder.Take(output, ("--base", basePath));
        int steps = arguments.GetValue(_steps);
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        var plan = new TrainingPlan { Batch = 16, Sequence = 128, Checkpointing = Checkpointing.None };
        Tokenizer tokenizer = PretrainedTokenizer.Load(basePath);
        QuickstartData data = arguments.GetValue(_data) is { } file ? QuickstartData.FromFile(file) : QuickstartData.FromDocumentation();
        Session.Error.WriteLine(data.Source);

        TextRow[] unseen = [.. StridedOrder.Over(data.HeldOut).Take(arguments.GetValue(_heldOut) ?? data.HeldOut.Count)];
        ConditionalRows training = ConditionalRows.Take(StridedOrder.Over(data.Distinct), steps * plan.Batch, tokenizer, recipe.Tables, plan);
        ConditionalRows heldOut = ConditionalRows.Take(unseen, unseen.Length, tokenizer, recipe.Tables, plan);
        TextRow[] prompts = [.. unseen.Where(r => r.Prompt is not null && heldOut.Items.Any(i => i.Row == r)).Take(SampleCount)];

        double prose = ProseBitsPerByte(arguments, architecture, basePath, tokenizer, ProseEvaluation.Of(unseen), seed, cancellation);
        string[] before = Samples(arguments, recipe, basePath, adapter: null, tokenizer, prompts, seed, cancellation);
        (TrainingRun run, PlannedMemory memory) = Train(arguments, recipe, plan, basePath, training, heldOut, steps, output, cancellation);
        string[] after = Samples(arguments, recipe, basePath, output, tokenizer, prompts, seed, cancellation);

        (double lossBefore, double lossAfter) = (run.Result.HeldOutBefore!.Value, run.Result.HeldOutAfter!.Value);
        string[] completions = [.. heldOut.Items.Select(i => i.Row.Completion)];
        var result = new QuickstartResult(
            Recipe,
            data.Source,
            new ParameterCounts(recipe.Tables.ParameterCount(trainable: false), recipe.Tables.ParameterCount(trainable: true)),
            run.Positions,
            new BeforeAfter(lossBefore, lossAfter),
            new Results.BitsPerByte(prose, ProseEvaluation.BitsPerByte(lossBefore, heldOut.Targets, completions), ProseEvaluation.BitsPerByte(lossAfter, heldOut.Targets, completions)),
            run.TokensPerSecond,
            memory,
            Path.GetFullPath(output),
            GeneratedFiles.Of(recipe),
            [.. prompts.Select((p, i) => new Sample(p.Prompt!.TrimEnd('\n'), before[i], after[i], p.Completion))],
            Stopwatch.GetElapsedTime(start).TotalSeconds);
        Session.Emit(result, HostJson.Default.QuickstartResult, console => QuickstartReport.Show(console, result, steps, heldOut.Items.Count));
        return ExitCode.Done;
    }

    private string BaseFolder(ParseResult arguments)
    {
        if (arguments.GetValue(_base) is { } given)
        {
            return ModelFolders.RequireBase(given);
        }

        string folder = Path.Combine(AppContext.BaseDirectory, "quickstart");
        return File.Exists(Path.Combine(folder, Checkpoint.FileName))
            ? folder
            : throw new UsageException($"the quickstart's base model is not in {folder}; name its folder with --base (in the repository it is models/quickstart)");
    }

    private static double ProseBitsPerByte(
        ParseResult arguments, ModelEntry architecture, string basePath, Tokenizer tokenizer, string[] texts, ulong seed, CancellationToken cancellation)
    {
        using TransformerModel model = BoundModel.ForTraining(arguments, architecture, new TrainingPlan { Batch = 8, Sequence = architecture.Tables.Context });
        BoundModel.Load(model, basePath, adapter: null, seed);
        return ProseEvaluation.BitsPerByte(new Evaluator(model, ProseEvaluation.Pack(texts, tokenizer, model, seed: null)).Evaluate(cancellation), texts);
    }

    private static string[] Samples(
        ParseResult arguments, ModelEntry recipe, string basePath, string? adapter, Tokenizer tokenizer, TextRow[] prompts, ulong seed, CancellationToken cancellation)
    {
        using TransformerModel model = BoundModel.ForGeneration(arguments, recipe, recipe.Tables.Context);
        BoundModel.Load(model, basePath, adapter, seed);
        var generator = new TextGenerator(model);
        var options = new GenerationOptions { MaximumTokens = SampleTokens, EndOfText = tokenizer.EosToken is { } end ? [end] : [] };
        var marks = new TextMarks(tokenizer);
        return [.. prompts.Select(p => tokenizer.Decode([.. generator.Generate(marks.Encode(p.PromptParts, begins: true, ends: false), options, cancellation: cancellation).Tokens]))];
    }

    private (TrainingRun Run, PlannedMemory Memory) Train(
        ParseResult arguments, ModelEntry recipe, TrainingPlan plan, string basePath, ConditionalRows training, ConditionalRows heldOut, int steps, string output, CancellationToken cancellation)
    {
        ulong seed = (ulong)arguments.GetValue(CommonOptions.Seed);
        using var native = new NativeMemoryScope();
        using TransformerModel model = BoundModel.ForTraining(arguments, recipe, plan);
        BoundModel.Load(model, basePath, adapter: null, seed);
        var options = new TrainingOptions
        {
            Steps = steps,
            LearningRate = 1.5e-3,
            MinimumLearningRate = 1e-4,
            WarmupSteps = Math.Min(20, steps / 4),
            Seed = seed,
            EvaluationInterval = steps,
        };
        TrainingRun run = TrainingRun.Run(
            Session, $"fine-tuning {Recipe}", model, training.Batches(plan), options, heldOut.Batches(plan), cancellation);
        if (run.Result.Cancelled)
        {
            throw new OperationCanceledException(cancellation);
        }

        AdapterFiles.Save(model, output, recipe.Tables.Architecture);
        return (run, new PlannedMemory(model.Plan.Cost.Arena, native.PeakBytes));
    }
}
