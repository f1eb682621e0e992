using System.Globalization;
using System.Xml.Linq;
using ModelCompiler.CommandLine.Results;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Files;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>The result of <c>mc tune</c> as one HTML page: tokens a second over the micro-batch, a curve for each kind of checkpointing.</summary>
internal static class TunePage
{
    private const int Width = 720;
    private const int Height = 340;
    private const int Left = 72;
    private const int Right = 120;
    private const int Top = 16;
    private const int Bottom = 44;
    private const int GridLines = 4;

    private const string Style = """
        svg .grid { stroke: var(--line); }
        svg .curve { fill: none; stroke-width: 2; }
        svg .best { fill: none; stroke: var(--ink); stroke-width: 2; }
        .curve0 { stroke: #2f7ed8; fill: #2f7ed8; }
        .curve1 { stroke: #1fa39a; fill: #1fa39a; }
        .curve2 { stroke: #e0572f; fill: #e0572f; }
        svg text.name { stroke: none; font-weight: 600; }

        """;

    private static readonly XNamespace s_html = ReportPage.Html;
    private static readonly XNamespace s_svg = ReportPage.Svg;

    /// <summary>Writes the page.</summary>
    /// <exception cref="OutputException">It cannot be written.</exception>
    public static void Write(string path, TuneResult result) => ReportPage.Write(
        path,
        $"{result.Recipe}: tokens a second",
        Style,
        new XElement(
            s_html + "p",
            $"Sequences of {Tables.Count(result.Sequence)} tokens, the median of {result.Steps} steps or more at each point, {(result.Threads == 1 ? result.Backend : $"{result.Backend} with {result.Threads} threads")}. Recommended: batch {result.Best.Batch} with " +
            $"checkpointing {result.Best.Checkpointing}, {Tables.Count((long)result.Best.TokensPerSecond)} tokens a second in {ByteSize.Format(result.Best.Peak)}, the least memory within 2 % of the fastest."),
        new XElement(s_html + "figure", Chart(result)),
        new XElement(
            s_html + "table",
            new XElement(s_html + "thead", ReportPage.Row("th", 1, "checkpointing", "batch", "tokens/s", "seconds a step", "peak")),
            new XElement(s_html + "tbody", result.Points.Select(p => ReportPage.Row(
                "td", 1, p.Checkpointing, Tables.Count(p.Batch), Tables.Count((long)p.TokensPerSecond), Tables.Number(p.SecondsPerStep, 3), ByteSize.Format(p.Peak))))),
        result.Ends.Select(end => new XElement(s_html + "p", $"Checkpointing {end.Checkpointing} ended at batch {end.Batch}: {end.Reason}.")));

    private static XElement Chart(TuneResult result)
    {
        int[] batches = [.. result.Points.Select(p => p.Batch).Distinct().Order()];
        double most = result.Points.Max(p => p.TokensPerSecond);
        string[] policies = [.. result.Points.Select(p => p.Checkpointing).Distinct()];
        return new XElement(
            s_svg + "svg",
            new XAttribute("viewBox", $"0 0 {Width} {Height}"),
            new XAttribute("width", Width),
            new XAttribute("height", Height),
            new XAttribute("role", "img"),
            new XElement(s_svg + "title", "Tokens a second over the micro-batch"),
            Enumerable.Range(0, GridLines + 1).SelectMany(line => Grid(line * most / GridLines)),
            batches.Select(batch => Text(X(batch), Height - Bottom + 18, Tables.Count(batch), "label", "middle")),
            Text((Left + Width - Right) / 2.0, Height - 6, "sequences in a micro-batch", "label", "middle"),
            policies.SelectMany((policy, index) => Curve([.. result.Points.Where(p => p.Checkpointing == policy)], index)),
            new XElement(s_svg + "circle", new XAttribute("class", "best"), At("cx", X(result.Best.Batch)), At("cy", Y(result.Best.TokensPerSecond)), At("r", 8)));

        double X(int batch) => Left + (Width - Left - Right) * (batches.Length == 1 ? 0.5 : Math.Log2((double)batch / batches[0]) / Math.Log2((double)batches[^1] / batches[0]));

        double Y(double tokens) => Top + (Height - Top - Bottom) * (1 - tokens / most);

        IEnumerable<XElement> Grid(double tokens)
        {
            yield return new XElement(s_svg + "line", new XAttribute("class", "grid"), At("x1", Left), At("x2", Width - Right), At("y1", Y(tokens)), At("y2", Y(tokens)));
            yield return Text(Left - 8, Y(tokens) + 4, Tables.Count((long)tokens), "label", "end");
        }

        IEnumerable<XElement> Curve(TunePoint[] points, int index)
        {
            string color = $"curve{index % 3}";
            string path = string.Join(" ", points.Select(p => $"{Number(X(p.Batch))},{Number(Y(p.TokensPerSecond))}"));
            yield return new XElement(s_svg + "polyline", new XAttribute("class", $"{color} curve"), new XAttribute("points", path));
            foreach (TunePoint point in points)
            {
                yield return new XElement(
                    s_svg + "circle",
                    new XAttribute("class", color),
                    At("cx", X(point.Batch)),
                    At("cy", Y(point.TokensPerSecond)),
                    At("r", 4),
                    new XElement(s_svg + "title", $"{point.Checkpointing}, batch {point.Batch}: {Tables.Count((long)point.TokensPerSecond)} tokens/s, {ByteSize.Format(point.Peak)}"));
            }

            // Curves may end at the same place; each has a line of its own for its name.
            yield return Text(Width - Right + 16, Top + 16 + 18 * index, points[0].Checkpointing, $"{color} name", "start");
        }
    }

    private static XElement Text(double x, double y, string text, string style, string anchor) => new(
        s_svg + "text", At("x", x), At("y", y), new XAttribute("class", style), new XAttribute("text-anchor", anchor), text);

    private static XAttribute At(string name, double value) => new(name, Number(value));

    private static string Number(double value) => Math.Round(value, 1).ToString(CultureInfo.InvariantCulture);
}
