using ModelCompiler.Data;
using ModelCompiler.Planning;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Hosting;

/// <summary>Examples of a data file for a model.</summary>
internal static class Examples
{
    /// <summary>Reads a file. Rows without a prompt are cut into pieces; of rows with one, what is too long is refused or truncated.</summary>
    /// <exception cref="DatasetException">The file is unusable; the line is named.</exception>
    public static List<Example> Read(string path, Tokenizer tokenizer, ModelTables tables, int sequence, bool truncate) =>
        ExampleBuilder.Build(TextDataset.Read(path), tokenizer, Options(tables, sequence) with { WhenTooLong = truncate ? LongText.Truncate : LongText.Split });

    /// <summary>How rows become examples for a model.</summary>
    public static ExampleOptions Options(ModelTables tables, int sequence) => new() { Context = sequence, VocabularySize = tables.Vocabulary };
}
