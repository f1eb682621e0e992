using System.Text;
using ModelCompiler.CommandLine.Files;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Runs;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;
using ModelCompiler.Models;
using ModelCompiler.Tokenizers;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>Plain text: completions without their prompts, each once, one after the other with end marks between.</summary>
internal static class ProseEvaluation
{
    /// <summary>The texts of rows, each once.</summary>
    public static string[] Of(IEnumerable<TextRow> rows) => [.. rows.Select(r => r.Completion).Distinct(StringComparer.Ordinal)];

    /// <summary>Full contexts of packed text.</summary>
    /// <exception cref="DatasetException">There is no text.</exception>
    public static Batches Pack(IEnumerable<string> texts, Tokenizer tokenizer, TransformerModel model, ulong? seed)
    {
        int sequence = model.Plan.Sizes.Sequence;
        return new Batches(ExampleBuilder.Pack(texts, tokenizer, Examples.Options(model.Tables, sequence)), model.Plan.Sizes.Batch, sequence, seed);
    }

    /// <summary>Bits per byte of text: nats of all targets, end marks included, over the bytes of the texts.</summary>
    public static double BitsPerByte(Evaluation evaluation, IEnumerable<string> texts) => BitsPerByte(evaluation.Loss, evaluation.Tokens, texts);

    /// <summary>Bits per byte of text: nats of all targets, end marks included, over the bytes of the texts.</summary>
    public static double BitsPerByte(double loss, long targets, IEnumerable<string> texts) =>
        loss * targets / Math.Log(2) / texts.Sum(t => (long)Encoding.UTF8.GetByteCount(t));
}
