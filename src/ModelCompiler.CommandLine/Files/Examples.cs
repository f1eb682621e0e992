using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.CommandLine.Files;

/// <summary>Examples of a data file for a model.</summary>
internal static class Examples
{
    /// <summary>Reads a file and says on standard error which rows were dropped and how many truncated.</summary>
    /// <exception cref="DatasetException">The file is unusable, or too many rows are; the line is named.</exception>
    public static ExampleSet Read(Session session, string path, Tokenizer tokenizer, ExampleOptions options)
    {
        var marks = new TextMarks(tokenizer);
        ExampleSet examples = ExampleBuilder.Build(TextDataset.Enumerate(path), marks, options);
        ExampleReport report = examples.Report;
        MarkNotes.Say(session, path, marks);
        if (report.Truncated > 0)
        {
            session.Error.WriteLine($"{path}: {Tables.Count(report.Truncated)} of {Tables.Count(report.Rows)} rows truncated to {Tables.Count(options.Context)} tokens");
        }

        if (report.Dropped > 0)
        {
            session.Error.WriteLine($"{path}: {Tables.Count(report.Dropped)} of {Tables.Count(report.Rows)} rows dropped because nothing can be learned from them:");
            foreach (DroppedRow row in report.FirstDropped)
            {
                session.Error.WriteLine($"  {row}");
            }

            if (report.Dropped > report.FirstDropped.Count)
            {
                session.Error.WriteLine($"  and {Tables.Count(report.Dropped - report.FirstDropped.Count)} more");
            }
        }

        return examples;
    }

    /// <summary>How rows become examples for a model: those without a prompt are cut into pieces, unless all are truncated.</summary>
    public static ExampleOptions Options(ModelTables tables, int sequence, bool truncate = false) => new()
    {
        Context = sequence,
        VocabularySize = tables.Vocabulary,
        Truncation = truncate ? Truncation.Truncate : Truncation.Split,
    };
}
