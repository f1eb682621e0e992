using ModelCompiler.Backends.Cpu;
using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;

namespace ModelCompiler.Cli.Tests;

/// <summary>The optimizers on the quickstart's model, trained from nothing on the prose of the SDK's documentation.</summary>
public class OptimizerTests(ITestOutputHelper output)
{
    private const int Steps = 100;
    private const int Members = 20_000;

    [Fact]
    [Trait("Category", "Slow")]
    public void Full_training_with_8_bit_moments_ends_within_1_percent_of_full_ones()
    {
        DocumentationCorpus corpus = ReferenceDocumentation.Load();
        string[] training = Texts(corpus.Training.Take(Members));
        string[] heldOut = Texts(corpus.HeldOut.Take(400));

        (double full, _) = Train(Optimizer.AdamW, training, heldOut);
        (double codes, double share) = Train(Optimizer.AdamW8Bit, training, heldOut);

        output.WriteLine($"held-out loss after {Steps} steps: {full:F4} with full moments, {codes:F4} with 8-bit moments of {share:P1} of the elements");
        Assert.True(share >= 0.9);
        Assert.Equal(full, codes, 0.01 * full);
    }

    private static string[] Texts(IEnumerable<DocumentedMember> members) => [.. members.Select(m => m.Summary).Distinct(StringComparer.Ordinal)];

    /// <summary>Held-out loss after the steps, and the share of elements with 8-bit moments.</summary>
    private static (double Loss, double Share) Train(Optimizer optimizer, string[] training, string[] heldOut)
    {
        Tokenizer tokenizer = PretrainedTokenizer.Load(Path.Combine(TestData.Repository, "models", "quickstart"));
        var plan = new TrainingPlan { Batch = 8, Sequence = 64, Optimizer = optimizer };
        using var model = Model.ForTraining<DocsWriter>(plan, new CpuBackend(2));
        Initialization.All(model, seed: 3);
        var options = new TrainingOptions { Steps = Steps, LearningRate = 1e-3, WarmupSteps = 20, WeightDecay = 0.1, EvaluationInterval = Steps };
        TrainingResult result = new Trainer(
            model, ProseEvaluation.Pack(training, tokenizer, model, seed: 3), options, ProseEvaluation.Pack(heldOut, tokenizer, model, seed: null)).Run();
        double codes = model.Trainable.Where(p => p.Moments.Storage == MomentStorage.Blockwise).Sum(p => p.Value.Count);
        return (result.HeldOutAfter!.Value, codes / model.Trainable.Sum(p => p.Value.Count));
    }
}
