using System.Xml.Linq;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>The result of <c>mc compare</c> as one HTML page that needs nothing beside it, and is XML too: the table, and the ranks of the methods that choose them.</summary>
internal static class ComparePage
{
    private const string Style = """
        svg .group { font-weight: 600; }
        svg .value { font-variant-numeric: tabular-nums; fill: #1c2733; }
        svg .dark { fill: #fff; }

        """;

    /// <summary>The first columns are names.</summary>
    private const int Names = 2;

    private static readonly XNamespace s_html = ReportPage.Html;

    /// <summary>Writes the page.</summary>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(string path, CompareResult result) => ReportPage.Write(
        path,
        $"{result.Architecture}: methods compared",
        Style,
        new XElement(s_html + "p", $"{Steps(result.Steps)} each{(result.Seeds > 1 ? $", {result.Seeds} seeds" : "")}; held-out loss before: {Tables.Number(result.LossBefore, 4)}."),
        Table(result),
        result.Methods.Where(m => m.Nested is not null).Select(m => new XElement(s_html + "p", $"{m.Name} at each rank: {m.NestedText(result.Seeds)}.")),
        result.Methods.Where(m => m.Adapters.Length > 0).SelectMany((method, index) => Ranks(method, $"ranks{index}", result.Seeds)));

    private static XElement Table(CompareResult result) => new(
        s_html + "table",
        new XElement(s_html + "thead", ReportPage.Row("th", Names, "recipe", "method", "trainable", "saved a token", "memory predicted", "memory allocated", "tokens/s", "held-out loss")),
        new XElement(s_html + "tbody", result.Methods.Select(m => ReportPage.Row(
            "td",
            Names,
            m.Name,
            m.Method,
            Tables.Count(m.Trainable),
            Tables.Count(m.SavedPerToken),
            ByteSize.Format(m.Memory.Predicted),
            ByteSize.Format(m.Memory.Allocated),
            Tables.Count((long)m.TokensPerSecond),
            Tables.Loss(m.MeanLoss, m.Deviation, result.Seeds)))));

    private static IEnumerable<XElement> Ranks(MethodResult method, string id, int seeds)
    {
        int[] all = [.. method.Adapters.SelectMany(a => a.Layers).Select(l => l.Rank)];
        yield return new XElement(s_html + "h2", $"Ranks of {method.Name} ({method.Method})");
        yield return new XElement(
            s_html + "p", $"{Tables.Count(all.Length)} adapters{Span(all)}, as they were after training{(seeds > 1 ? " with the first seed" : "")}.");
        yield return new XElement(s_html + "figure", RankHeatMap.Of(method.Adapters, id));
    }

    private static string Span(int[] ranks) => ranks.Min() == ranks.Max()
        ? $", all of rank {ranks[0]}"
        : $" of rank {ranks.Min()} to {ranks.Max()}, {Tables.Number(ranks.Average(), 1)} on average";

    private static string Steps(int steps) => steps == 1 ? "1 step" : $"{Tables.Count(steps)} steps";
}
