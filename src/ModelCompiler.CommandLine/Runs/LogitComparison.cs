using System.CommandLine;
using ModelCompiler.Backends;
using ModelCompiler.CommandLine.Commands;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.HuggingFace.Tokenizers;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>What two forms of a model are compared on.</summary>
/// <param name="Tokens">Tokens whose logits are compared.</param>
/// <param name="Examples">Rows for the perplexity; null without data.</param>
internal sealed record LogitSample(int[] Tokens, ExampleSet? Examples)
{
    private const int ComparedTokens = 64;

    /// <summary>The first tokens of the data's first row; without data, tokens from all over the vocabulary.</summary>
    public static LogitSample Read(Session session, string? data, string basePath, ModelTables tables)
    {
        if (data is null)
        {
            return new LogitSample([.. Enumerable.Range(1, Math.Min(ComparedTokens, tables.Context)).Select(i => (int)(i * 7919L % tables.Vocabulary))], null);
        }

        ExampleOptions options = Files.Examples.Options(tables, Math.Min(256, tables.Context), truncate: true);
        ExampleSet examples = Files.Examples.Read(session, data, PretrainedTokenizer.Load(basePath), options);
        return new LogitSample([.. examples[0].Tokens.Take(ComparedTokens)], examples);
    }
}

/// <summary>What one form of a model computes on a sample.</summary>
internal sealed record LogitComparison(float[][] Logits, double? Perplexity)
{
    /// <summary>Runs a model over the sample.</summary>
    /// <param name="arguments">Names the backend.</param>
    /// <param name="entry">The model.</param>
    /// <param name="ranks">The ranks of its adapters, where they are not the declared ones.</param>
    /// <param name="sample">The sample.</param>
    /// <param name="load">Gives it weights.</param>
    /// <param name="cancellation">Stops between rows.</param>
    public static LogitComparison Measure(
        ParseResult arguments, ModelEntry entry, RankPattern? ranks, LogitSample sample, Action<TransformerModel> load, CancellationToken cancellation)
    {
        float[][] logits;
        using (TransformerModel model = BoundModel.ForGeneration(arguments, entry, sample.Tokens.Length, ranks))
        {
            load(model);
            logits = LogitsOf(model, sample.Tokens, cancellation);
        }

        if (sample.Examples is not { } examples)
        {
            return new LogitComparison(logits, null);
        }

        var plan = new TrainingPlan { Batch = 1, Sequence = examples.Max(e => e.Tokens.Length), Ranks = ranks };
        using TransformerModel evaluated = BoundModel.ForTraining(arguments, entry, plan);
        load(evaluated);
        return new LogitComparison(logits, new Evaluator(evaluated, new Batches(examples, plan.Batch, plan.Sequence, seed: null)).Evaluate(cancellation).Perplexity);
    }

    /// <summary>The greatest difference of a logit.</summary>
    public double LargestDifference(LogitComparison other) =>
        Logits.Zip(other.Logits).Max(rows => rows.First.Zip(rows.Second).Max(pair => Math.Abs((double)pair.First - pair.Second)));

    /// <summary>The perplexities of two forms; null without data.</summary>
    public BeforeAfter? Perplexities(LogitComparison after) => Perplexity is null ? null : new BeforeAfter(Perplexity, after.Perplexity);

    /// <summary>Logits of every position of a model that is planned for generation.</summary>
    public static float[][] LogitsOf(TransformerModel model, int[] tokens, CancellationToken cancellation)
    {
        var logits = new float[tokens.Length][];
        int longest = model.Plan.Sizes.Sequence;
        for (int start = 0; start < tokens.Length; start += longest)
        {
            cancellation.ThrowIfCancellationRequested();
            ReadOnlySpan<int> part = tokens.AsSpan(start, Math.Min(longest, tokens.Length - start));
            model.BeginStep(new Step(1, part.Length, start), part);
            model.Decode();
            for (int row = 0; row < part.Length; row++)
            {
                logits[start + row] = new float[model.Tables.Vocabulary];
                model.Backend.Read(model.Logits(row, 1), logits[start + row].AsSpan());
            }
        }

        return logits;
    }
}
