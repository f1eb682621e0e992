using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>Rows that fit a sequence, with their examples, ordered so that those of a batch are about equally long and little is padding.</summary>
internal sealed class ConditionalRows
{
    private ConditionalRows(List<(TextRow Row, Example Example)> items) => Items = items;

    /// <summary>Rows and examples, in the order of the batches.</summary>
    public IReadOnlyList<(TextRow Row, Example Example)> Items { get; }

    /// <summary>Targets of all examples.</summary>
    public long Targets => Items.Sum(i => (long)i.Example.TargetCount);

    /// <summary>Takes rows in their order until there are enough; rows longer than the sequence are passed over.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="count">How many to take at most.</param>
    /// <param name="tokenizer">The tokenizer.</param>
    /// <param name="tables">The model.</param>
    /// <param name="plan">Batch and sequence.</param>
    /// <exception cref="DatasetException">No row fits.</exception>
    public static ConditionalRows Take(IEnumerable<TextRow> rows, int count, Tokenizer tokenizer, ModelTables tables, TrainingPlan plan)
    {
        ExampleOptions options = Examples.Options(tables, tables.Context) with { Truncation = Truncation.Truncate };
        var items = new List<(TextRow Row, Example Example)>();
        foreach (TextRow row in rows)
        {
            if (items.Count == count)
            {
                break;
            }

            if (Fits(row, tokenizer, plan.Sequence))
            {
                items.Add((row, ExampleBuilder.Build([row], tokenizer, options)[0]));
            }
        }

        if (items.Count == 0)
        {
            throw new DatasetException($"no row fits a sequence of {plan.Sequence} tokens");
        }

        return new ConditionalRows(ByLength(items, plan.Batch));
    }

    /// <summary>The batches, in this order, epoch after epoch.</summary>
    public Batches Batches(TrainingPlan plan) => new([.. Items.Select(i => i.Example)], plan.Batch, plan.Sequence, seed: null);

    /// <summary>Begin mark, prompt, completion and end mark, less one position.</summary>
    private static bool Fits(TextRow row, Tokenizer tokenizer, int sequence) =>
        tokenizer.EncodeText((row.Prompt ?? "") + row.Completion).Length + 4 <= sequence;

    /// <summary>Batches of equal lengths in an order without regard to length; the longest first, so that what does not fit fails at once.</summary>
    private static List<(TextRow Row, Example Example)> ByLength(List<(TextRow Row, Example Example)> items, int batch)
    {
        (TextRow Row, Example Example)[][] batches = [.. items.OrderByDescending(i => i.Example.Tokens.Length).Chunk(batch)];

        // The last, which may be short, stays the last.
        return batches.Length < 3
            ? [.. batches.SelectMany(b => b)]
            : [.. batches[0], .. StridedOrder.Over(batches[1..^1]).SelectMany(b => b), .. batches[^1]];
    }
}
