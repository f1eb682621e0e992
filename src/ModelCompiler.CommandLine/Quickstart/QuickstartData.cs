using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Data;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>What the quickstart learns from and is judged by.</summary>
/// <param name="Training">Rows to learn from.</param>
/// <param name="Distinct">Of those, the ones that differ in more than names: what is held out has no repetitions either, and they teach little.</param>
/// <param name="HeldOut">Rows never learned from.</param>
/// <param name="Source">What it is, for people.</param>
internal sealed record QuickstartData(IReadOnlyList<TextRow> Training, IReadOnlyList<TextRow> Distinct, IReadOnlyList<TextRow> HeldOut, string Source)
{
    private const int HeldOutOneIn = 20;

    /// <summary>The reference documentation of the SDK: the signature is the prompt, the summary the completion.</summary>
    /// <exception cref="DatasetException">The SDK carries none.</exception>
    public static QuickstartData FromDocumentation()
    {
        DocumentationCorpus corpus = ReferenceDocumentation.Load();
        return new QuickstartData(
            Rows(corpus.Training),
            Rows(corpus.Distinct),
            Rows(corpus.HeldOut),
            $"reference documentation of the .NET SDK: {Tables.Count(corpus.Training.Count)} members to learn from, {Tables.Count(corpus.Distinct.Count)} of them different in more than names, {Tables.Count(corpus.HeldOut.Count)} held out " +
            $"(declaring type and name together; {Tables.Count(corpus.Repeated)} more left out because their summary, names masked, occurs in training)");
    }

    /// <summary>Rows of a file; every twentieth is held out.</summary>
    /// <exception cref="DatasetException">The file is unusable or has too few rows.</exception>
    public static QuickstartData FromFile(string path)
    {
        IReadOnlyList<TextRow> rows = TextDataset.Read(path);
        if (rows.FirstOrDefault(r => r.Problem is not null) is { } unusable)
        {
            throw new DatasetException($"{unusable.Source}: {unusable.Problem}");
        }

        if (rows.Count < 2 * HeldOutOneIn)
        {
            throw new DatasetException($"{path}: {rows.Count} rows are too few to hold one in {HeldOutOneIn} out; give at least {2 * HeldOutOneIn}");
        }

        TextRow[] heldOut = [.. rows.Where((_, index) => index % HeldOutOneIn == 0)];
        TextRow[] training = [.. rows.Where((_, index) => index % HeldOutOneIn != 0)];
        return new QuickstartData(training, training, heldOut, $"{path}: {Tables.Count(training.Length)} rows to learn from, {Tables.Count(heldOut.Length)} held out");
    }

    private static TextRow[] Rows(IReadOnlyList<DocumentedMember> members) => [.. members.Select(m => new TextRow(m.Signature + "\n", m.Summary, m.Id))];
}
