using System.Globalization;
using System.Xml.Linq;
using ModelCompiler.CommandLine.Results;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>The ranks of a model's adapters as a picture: a row for each layer, a column for each projection, darker where the rank is larger.</summary>
internal static class RankHeatMap
{
    private const int CellWidth = 58;
    private const int CellHeight = 24;
    private const int Left = 56;
    private const int Top = 44;
    private const int LegendWidth = 160;

    private static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";
    private static readonly (int Red, int Green, int Blue) s_lightest = (240, 245, 251);
    private static readonly (int Red, int Green, int Blue) s_darkest = (16, 68, 128);

    /// <summary>The picture.</summary>
    /// <param name="ranks">The ranks, by projection.</param>
    /// <param name="id">A name that no other picture of the page has.</param>
    public static XElement Of(IReadOnlyList<AdapterRanks> ranks, string id)
    {
        // The head is outside the layers and comes last.
        int[] layers = [.. ranks.SelectMany(r => r.Layers).Select(l => l.Layer).Distinct().OrderBy(layer => layer < 0 ? int.MaxValue : layer)];
        int largest = Math.Max(1, ranks.Max(r => r.Layers.Max(l => l.Rank)));
        int bottom = Top + layers.Length * CellHeight;
        int width = Left + Math.Max(ranks.Count * CellWidth, LegendWidth + 40) + 8;
        int height = bottom + 52;
        return new XElement(
            s_svg + "svg",
            new XAttribute("viewBox", $"0 0 {width} {height}"),
            new XAttribute("width", width),
            new XAttribute("height", height),
            new XAttribute("role", "img"),
            new XElement(s_svg + "title", "Rank of the adapter of each layer and projection"),
            ranks.SelectMany((projection, column) => Header(ranks, column)),
            layers.Select((layer, row) => Text(Left - 10, Middle(row), layer < 0 ? "head" : $"layer {Invariant(layer)}", "label", "end")),
            ranks.SelectMany((projection, column) => projection.Layers.SelectMany(l => Cell(projection.Path, column, Array.IndexOf(layers, l.Layer), l.Layer, l.Rank, largest))),
            Legend(id, bottom + 20, largest));
    }

    /// <summary>The projection's own name, and above the first of a sublayer's the sublayer's.</summary>
    private static IEnumerable<XElement> Header(IReadOnlyList<AdapterRanks> ranks, int column)
    {
        (string group, string name) = Split(ranks[column].Path);
        if (group.Length > 0 && (column == 0 || Split(ranks[column - 1].Path).Group != group))
        {
            yield return Text(Left + column * CellWidth + 2, 14, group, "group", "start");
        }

        yield return Text(Left + column * CellWidth + CellWidth / 2, 34, name, "label", "middle");
    }

    private static IEnumerable<XElement> Cell(string path, int column, int row, int layer, int rank, int largest)
    {
        double part = (double)rank / largest;
        yield return new XElement(
            s_svg + "rect",
            new XAttribute("class", "cell"),
            new XAttribute("data-projection", path),
            new XAttribute("data-layer", layer),
            new XAttribute("data-rank", rank),
            new XAttribute("x", Left + column * CellWidth),
            new XAttribute("y", Top + row * CellHeight),
            new XAttribute("width", CellWidth - 2),
            new XAttribute("height", CellHeight - 2),
            new XAttribute("rx", 2),
            new XAttribute("fill", Color(part)),
            new XElement(s_svg + "title", $"{path}{(layer < 0 ? "" : $", layer {Invariant(layer)}")}: rank {Invariant(rank)}"));
        yield return Text(Left + column * CellWidth + (CellWidth - 2) / 2, Middle(row), Invariant(rank), part > 0.65 ? "value dark" : "value", "middle");
    }

    private static IEnumerable<XElement> Legend(string id, int top, int largest)
    {
        XElement Stop(string offset, double part) => new(s_svg + "stop", new XAttribute("offset", offset), new XAttribute("stop-color", Color(part)));
        yield return new XElement(s_svg + "defs", new XElement(s_svg + "linearGradient", new XAttribute("id", id), Stop("0", 0), Stop("1", 1)));
        yield return new XElement(
            s_svg + "rect",
            new XAttribute("x", Left),
            new XAttribute("y", top),
            new XAttribute("width", LegendWidth),
            new XAttribute("height", 10),
            new XAttribute("rx", 2),
            new XAttribute("fill", $"url(#{id})"));
        yield return Text(Left - 10, top + 9, "rank", "label", "end");
        yield return Text(Left, top + 26, "0", "label", "start");
        yield return Text(Left + LegendWidth, top + 26, Invariant(largest), "label", "end");
    }

    private static XElement Text(int x, int y, string text, string style, string anchor) => new(
        s_svg + "text", new XAttribute("class", style), new XAttribute("x", x), new XAttribute("y", y), new XAttribute("text-anchor", anchor), text);

    /// <summary>The base line that puts a row's digits in the middle of their cell.</summary>
    private static int Middle(int row) => Top + row * CellHeight + 15;

    private static (string Group, string Name) Split(string path) =>
        path.LastIndexOf('.') is var dot and > 0 ? (path[..dot], path[(dot + 1)..]) : ("", path);

    private static string Color(double part)
    {
        int Between(int light, int dark) => (int)Math.Round(light + part * (dark - light));
        return $"#{Between(s_lightest.Red, s_darkest.Red):x2}{Between(s_lightest.Green, s_darkest.Green):x2}{Between(s_lightest.Blue, s_darkest.Blue):x2}";
    }

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
