using ModelCompiler.Tokenizers;

namespace ModelCompiler.Data;

/// <summary>
/// Makes examples of text: begin mark, prompt, completion, end mark; each position's target is the next token, and only completions
/// and the end mark are learned.
/// </summary>
public static class ExampleBuilder
{
    /// <summary>The examples of rows, in their order.</summary>
    /// <exception cref="DatasetException">There are no rows, a row is too long or has nothing to learn, or a token is outside the model's vocabulary.</exception>
    /// <exception cref="TokenizerException">The tokenizer cannot express a text.</exception>
    public static List<Example> Build(IEnumerable<TextRow> rows, Tokenizer tokenizer, ExampleOptions options) =>
        Build(rows, new TextMarks(tokenizer), options);

    /// <summary>The examples of rows, in their order; the marks count the texts that carried their own.</summary>
    /// <exception cref="DatasetException">There are no rows, a row is too long or has nothing to learn, or a token is outside the model's vocabulary.</exception>
    /// <exception cref="TokenizerException">The tokenizer cannot express a text.</exception>
    public static List<Example> Build(IEnumerable<TextRow> rows, TextMarks marks, ExampleOptions options)
    {
        var examples = new List<Example>();
        foreach (TextRow row in rows)
        {
            Add(row, marks, options, examples);
        }

        return examples.Count > 0 ? examples : throw new DatasetException("there is no data: no row gave an example");
    }

    /// <summary>
    /// Examples for plain language modelling: all texts one after the other, each with its marks, cut into full contexts. What remains
    /// at the end is a shorter example.
    /// </summary>
    /// <exception cref="DatasetException">There is no text, or a token is outside the model's vocabulary.</exception>
    /// <exception cref="TokenizerException">The tokenizer cannot express a text.</exception>
    public static List<Example> Pack(IEnumerable<string> texts, Tokenizer tokenizer, ExampleOptions options)
    {
        var marks = new TextMarks(tokenizer);
        var stream = new List<int>();
        foreach ((int index, string text) in texts.Index())
        {
            int before = stream.Count;
            stream.AddRange(marks.Encode(text, options.MarksBegin, options.MarksEnd));
            Check(stream, before, options, $"text {index + 1}");
        }

        List<Example> examples = [];
        Cut(stream, 0, options.Context, examples);
        return examples.Count > 0 ? examples : throw new DatasetException("there is no data: the texts give fewer than two tokens");
    }

    private static void Add(TextRow row, TextMarks marks, ExampleOptions options, List<Example> examples)
    {
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
        if (positions > options.Context && options.WhenTooLong != LongText.Truncate && (options.WhenTooLong == LongText.Error || row.Prompt is not null))
        {
            throw new DatasetException($"{row.Source}: {ids.Count} tokens do not fit the context of {options.Context}; shorten the row, truncate long rows or use a longer context");
        }

        if (options.WhenTooLong == LongText.Truncate && positions > options.Context)
        {
            ids.RemoveRange(options.Context + 1, positions - options.Context);
        }

        int count = examples.Count;
        if (ids.Count > Math.Max(given, 1))
        {
            Cut(ids, given, options.Context, examples);
        }

        if (examples.Count == count)
        {
            throw new DatasetException($"{row.Source}: nothing is left to learn; the prompt fills the context of {options.Context}, or the row has a single token");
        }
    }

    /// <summary>Examples of at most <paramref name="context"/> positions; the first <paramref name="given"/> ids are no targets.</summary>
    private static void Cut(List<int> ids, int given, int context, List<Example> examples)
    {
        for (int start = 0; start < ids.Count - 1; start += context)
        {
            int length = Math.Min(context, ids.Count - 1 - start);
            int[] targets = [.. ids.GetRange(start + 1, length)];
            targets.AsSpan(0, Math.Clamp(given - 1 - start, 0, length)).Fill(Example.Ignored);
            examples.Add(new Example([.. ids.GetRange(start, length)], targets));
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
