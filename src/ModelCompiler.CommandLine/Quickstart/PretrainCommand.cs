using System.CommandLine;
using System.Diagnostics;
using ModelCompiler.CommandLine.Commands;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Files;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>
/// The hidden command that made the quickstart's base model: a tokenizer and weights from nothing but the training side's summaries of
/// the reference documentation. One summary in a hundred of that side chooses the step to keep; the held-out side is only measured.
/// </summary>
internal sealed class PretrainCommand : HostCommand
{
    private const string EndOfText = "<|endoftext|>";
    private const int ValidationOneIn = 100;
    private const int TrialSteps = 12;
    private const int Evaluations = 20;

    private readonly PretrainOptions _options = new();

    public PretrainCommand(Session session)
        : base("pretrain", "Make the quickstart's base model from reference documentation", session)
    {
        Hidden = true;
        _options.AddTo(this);
    }

    protected override int Run(ParseResult arguments, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        PretrainChoices choices = _options.Read(arguments);
        ModelEntry entry = ModelArgument.Find(choices.Model);
        using FolderLock taken = OutputFolder.Take(choices.Out);
        var plan = new TrainingPlan { Batch = choices.Batch, Sequence = entry.Tables.Context };

        QuickstartData data = QuickstartData.FromDocumentation();
        Session.Error.WriteLine(data.Source);
        string[] texts = ProseEvaluation.Of(choices.Members is { } members ? StridedOrder.Over(data.Training).Take(members) : data.Training);
        string[] training = [.. texts.Where((_, index) => index % ValidationOneIn != 0)];
        string[] validation = [.. texts.Where((_, index) => index % ValidationOneIn == 0)];
        string[] heldOut = ProseEvaluation.Of(data.HeldOut);
        ByteLevelBpe tokenizer = BpeTrainer.Train(training, entry.Tables.Vocabulary, EndOfText);
        if (tokenizer.VocabularySize != entry.Tables.Vocabulary)
        {
            throw new UsageException($"the text gives {tokenizer.VocabularySize} tokens, {entry.Tables.Name} has {entry.Tables.Vocabulary}; learn from more members");
        }

        Session.Error.WriteLine($"tokenizer of {Tables.Count(tokenizer.VocabularySize)} tokens from {Tables.Count(training.Length)} summaries");

        int steps = choices.Steps ?? MeasuredSteps(arguments, entry, plan, choices, training, tokenizer);
        using TransformerModel model = BoundModel.ForTraining(arguments, entry, plan);
        Initialization.All(model, choices.Seed);
        var best = new WeightSnapshot(model);
        Batches validationBatches = ProseEvaluation.Pack(validation, tokenizer, model, seed: null);
        TrainingRun run = TrainingRun.Run(
            Session, $"pretraining {entry.Tables.Name}", model, ProseEvaluation.Pack(training, tokenizer, model, choices.Seed), Training(choices, steps), validationBatches, cancellation,
            step =>
            {
                if (step.HeldOutLoss is { } loss)
                {
                    Session.Error.WriteLine($"step {step.Step}: validation loss {Tables.Number(loss, 4)}");
                    if (loss < best.Loss)
                    {
                        best.Take(step.Step, loss);
                    }
                }
            });
        cancellation.ThrowIfCancellationRequested();
        best.Restore();

        tokenizer.Save(Path.Combine(choices.Out, ByteLevelBpe.FileName));
        BaseWeights.Save(model, choices.Out, SafetensorsType.BF16);
        BaseWeights.Load(model, choices.Out);
        Evaluation evaluation = new Evaluator(model, ProseEvaluation.Pack(heldOut, tokenizer, model, seed: null)).Evaluate(cancellation);
        var result = new PretrainResult(
            entry.Tables.Name, Path.GetFullPath(choices.Out), entry.Tables.ParameterCount(trainable: false), steps, best.Step, run.Positions, best.Loss,
            ProseEvaluation.BitsPerByte(evaluation, heldOut), run.TokensPerSecond, Stopwatch.GetElapsedTime(start).TotalSeconds);
        var card = new ModelCard(result, choices, data.Source, model.Plan.Profile.Threads, training.Length);
        AtomicFile.WriteText(Path.Combine(choices.Out, "README.md"), card.Text());
        Session.Emit(result, HostJson.Default.PretrainResult, console => console.WriteLine(
            $"{result.Out}: {Tables.Number(result.BitsPerByte, 4)} bits per byte on held-out prose, step {result.BestStep} of {result.Steps}, {Tables.Number(result.Seconds / 60, 1)} minutes"));
        return ExitCode.Done;
    }

    private static TrainingOptions Training(PretrainChoices choices, int steps) => new()
    {
        Steps = steps,
        LearningRate = choices.LearningRate,
        MinimumLearningRate = choices.LearningRate / 20,
        WarmupSteps = Math.Min(100, steps / 10),
        WeightDecay = choices.WeightDecay,
        Beta2 = 0.95,
        Seed = choices.Seed,
        EvaluationInterval = Math.Max(1, steps / Evaluations),
    };

    /// <summary>How many steps the time allows, by a few steps on a model that is then thrown away.</summary>
    private static int MeasuredSteps(ParseResult arguments, ModelEntry entry, TrainingPlan plan, PretrainChoices choices, string[] training, Tokenizer tokenizer)
    {
        using TransformerModel model = BoundModel.ForTraining(arguments, entry, plan);
        Initialization.All(model, choices.Seed);
        var trainer = new Trainer(model, ProseEvaluation.Pack(training, tokenizer, model, choices.Seed), Training(choices, TrialSteps));
        double[] seconds = [.. Enumerable.Range(0, TrialSteps).Select(_ => trainer.Step().Seconds)];
        double step = seconds.Order().ElementAt(TrialSteps / 2);
        return Math.Max(1, (int)(choices.Minutes * 60 / step));
    }
}
