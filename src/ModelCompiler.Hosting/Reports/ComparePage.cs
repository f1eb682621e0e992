using System.Xml.Linq;
using ModelCompiler.Files;
using ModelCompiler.Hosting.Results;
using ModelCompiler.Planning;

namespace ModelCompiler.Hosting.Reports;

/// <summary>The result of <c>mc compare</c> as one HTML page that needs nothing beside it, and is XML too: the table, and the ranks of the methods that choose them.</summary>
internal static class ComparePage
{
    private const string Style = """

        body { font: 15px/1.5 system-ui, sans-serif; color: #1c2733; background: #fff; max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; }
        h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
        h2 { font-size: 1.1rem; margin: 2.5rem 0 .25rem; }
        p { margin: 0 0 1rem; color: #55636f; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
        th, td { padding: .4rem .75rem .4rem 0; text-align: right; border-bottom: 1px solid #e3e8ee; white-space: nowrap; }
        th { font-weight: 600; color: #55636f; }
        th.name, td.name { text-align: left; }
        figure { margin: 0; overflow-x: auto; }
        svg text { font-size: 12px; fill: #1c2733; }
        svg .label { fill: #55636f; }
        svg .group { font-weight: 600; }
        svg .value { font-variant-numeric: tabular-nums; }
        svg .dark { fill: #fff; }

        """;

    private static readonly XNamespace s_html = "http://www.w3.org/1999/xhtml";

    /// <summary>Refuses a path that a page cannot be written to, before hours of work lead there.</summary>
    /// <exception cref="UsageException">It does not end in .html, is a folder, or lies in none.</exception>
    public static void Check(string path)
    {
        if (!path.EndsWith(".html", StringComparison.OrdinalIgnoreCase) || Directory.Exists(path))
        {
            throw new UsageException($"--report writes a page: name a file that ends in .html, not '{path}'");
        }

        if (Path.GetDirectoryName(Path.GetFullPath(path)) is not { } folder || !Directory.Exists(folder))
        {
            throw new UsageException($"--report '{path}': its folder does not exist; make it first");
        }
    }

    /// <summary>Writes the page.</summary>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(string path, CompareResult result) => AtomicFile.WriteText(path, $"<!DOCTYPE html>\n{Page(result)}\n");

    private static XElement Page(CompareResult result)
    {
        string title = $"{result.Architecture}: methods compared";
        return new XElement(
            s_html + "html",
            new XAttribute("lang", "en"),
            new XElement(
                s_html + "head",
                new XElement(s_html + "meta", new XAttribute("charset", "utf-8")),
                new XElement(s_html + "title", title),
                new XElement(s_html + "style", Style)),
            new XElement(
                s_html + "body",
                new XElement(s_html + "h1", title),
                new XElement(s_html + "p", $"{Steps(result.Steps)} each{(result.Seeds > 1 ? $", {result.Seeds} seeds" : "")}; held-out loss before: {Tables.Number(result.LossBefore, 4)}."),
                Table(result),
                result.Methods.Where(m => m.Adapters.Length > 0).SelectMany((method, index) => Ranks(method, $"ranks{index}", result.Seeds))));
    }

    private static XElement Table(CompareResult result) => new(
        s_html + "table",
        new XElement(s_html + "thead", Row("th", "recipe", "method", "trainable", "saved a token", "memory planned", "allocated", "tokens/s", "held-out loss")),
        new XElement(s_html + "tbody", result.Methods.Select(m => Row(
            "td",
            m.Name,
            m.Method,
            Tables.Count(m.Trainable),
            Tables.Count(m.SavedPerToken),
            ByteSize.Format(m.Memory.Predicted),
            ByteSize.Format(m.Memory.Allocated),
            Tables.Count((long)m.TokensPerSecond),
            Tables.Number(m.MeanLoss, 4) + (result.Seeds > 1 ? $" ± {Tables.Number(m.Deviation, 4)}" : "")))));

    private static XElement Row(string cell, params string[] texts) =>
        new(s_html + "tr", texts.Select((text, column) => new XElement(s_html + cell, column < 2 ? new XAttribute("class", "name") : null, text)));

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
