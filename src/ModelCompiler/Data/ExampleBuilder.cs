using System.Runtime.InteropServices;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Data;

/// <summary>
/// Makes examples of text: begin mark, prompt, completion, end mark; each position's target is the next token, and only completions
/// and the end mark are learned.
/// </summary>
public static class ExampleBuilder
{
    /// <summary>The examples of rows, in their order, with a report of the rows that were dropped because nothing can be learned from them.</summary>
    /// <exception cref="DatasetException">There are no rows, more were dropped than may be, or a token is outside the model's vocabulary.</exception>
    public static ExampleSet Build(IEnumerable<TextRow> rows, Tokenizer tokenizer, ExampleOptions options) =>
        Build(rows, new TextMarks(tokenizer), options);

    /// <summary>The same; the marks count the texts that carried their own.</summary>
    /// <exception cref="DatasetException">There are no rows, more were dropped than may be, or a token is outside the model's vocabulary.</exception>
    public static ExampleSet Build(IEnumerable<TextRow> rows, TextMarks marks, ExampleOptions options)
    {
        var examples = new List<ExampleSet.Entry>();
        var dropped = new DroppedRows(options.MaximumDropped);
        (int count, int truncated) = (0, 0);
        foreach (TextRow row in rows)
        {
            count++;
            bool cut = false;
            if ((row.Problem ?? TryAdd(row, marks, options, examples, out cut)) is { } problem)
            {
                dropped.Add(row.Source, problem);
            }
            else if (cut)
            {
                truncated++;
            }
        }

        dropped.Check(count);
        return new ExampleSet(examples, new ExampleReport(count, dropped.Count, truncated, dropped.First) { Marks = marks.Counts });
    }

    /// <summary>
    /// Examples for plain language modeling: all texts one after the other, each with its marks, cut into full contexts. What remains
    /// at the end is a shorter example.
    /// </summary>
    /// <exception cref="DatasetException">There is no text, or a token is outside the model's vocabulary.</exception>
    /// <exception cref="TokenizerException">The tokenizer cannot express a text.</exception>
    public static ExampleSet Pack(IEnumerable<string> texts, Tokenizer tokenizer, ExampleOptions options)
    {
        var marks = new TextMarks(tokenizer);
        var stream = new List<int>();
        int count = 0;
        foreach (string text in texts)
        {
            count++;
            int before = stream.Count;
            stream.AddRange(marks.Encode(text, options.MarksBegin, options.MarksEnd));
            Check(stream, before, options, $"text {count}");
        }

        List<ExampleSet.Entry> examples = [];
        Cut(stream, 0, options.Context, examples);
        return examples.Count > 0
            ? new ExampleSet(examples, new ExampleReport(count, 0, 0, []))
            : throw new DatasetException("there is no data: the texts give fewer than two tokens");
    }

    private static string? TryAdd(TextRow row, TextMarks marks, ExampleOptions options, List<ExampleSet.Entry> examples, out bool truncated)
    {
        try
        {
            return Add(row, marks, options, examples, out truncated);
        }
        catch (TokenizerException error)
        {
            truncated = false;
            return error.Message;
        }
    }

    /// <summary>Adds the examples of a row.</summary>
    /// <returns>Why there are none; null where there are.</returns>
    private static string? Add(TextRow row, TextMarks marks, ExampleOptions options, List<ExampleSet.Entry> examples, out bool truncated)
    {
        truncated = false;
        var ids = new List<int>();
        int given = options.MarksBegin ? marks.PrefixLength : 0;
        bool hasPrompt = row.PromptParts.Any(p => p.Text.Length > 0);
        if (hasPrompt)
        {
            ids.AddRange(marks.Encode(row.PromptParts, options.MarksBegin, ends: false));
            given = ids.Count;
        }

        ids.AddRange(marks.Encode(row.Completion, options.MarksBegin && !hasPrompt, options.MarksEnd));
        Check(ids, 0, options, row.Source);
        int positions = ids.Count - 1;
        if (positions > options.Context && options.Truncation != Truncation.Truncate && (options.Truncation == Truncation.Drop || row.Prompt is not null))
        {
            return $"{ids.Count} tokens do not fit the context of {options.Context}; shorten the row, truncate long rows or use a longer context";
        }

        truncated = options.Truncation == Truncation.Truncate && positions > options.Context;
        if (truncated)
        {
            ids.RemoveRange(options.Context + 1, positions - options.Context);
        }

        if (ids.Count <= Math.Max(given, 1))
        {
            return truncated
                ? $"nothing is left to learn: the prompt of {given} tokens fills the context of {options.Context}"
                : "there is nothing to learn: the completion has no token, or the text only one";
        }

        Cut(ids, given, options.Context, examples);
        return null;
    }

    /// <summary>Examples of at most <paramref name="context"/> positions; the first <paramref name="given"/> ids are no targets.</summary>
    private static void Cut(List<int> ids, int given, int context, List<ExampleSet.Entry> examples)
    {
        for (int start = 0; start < ids.Count - 1; start += context)
        {
            int length = Math.Min(context, ids.Count - 1 - start);
            examples.Add(ExampleSet.Entry.Of(CollectionsMarshal.AsSpan(ids).Slice(start, length + 1), given - start));
        }
    }

    private static void Check(List<int> ids, int from, ExampleOptions options, string source)
    {
        int outside = ids.FindIndex(from, id => (uint)id >= (uint)options.VocabularySize);
        if (outside >= 0)
        {
            throw new DatasetException(
                $"{source}: token {ids[outside]} is outside the model's vocabulary of {options.VocabularySize}; use the tokenizer that belongs to the model");
        }
    }
}
