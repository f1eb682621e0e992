using System.Globalization;
using System.Text;
using System.Xml.Linq;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Reports;

/// <summary>
/// What is live over the operations of a training step as a picture: categories stacked, one column a pixel wide that shows the fullest of its
/// operations, the planned peak as a line, and the fullest operation of all marked.
/// </summary>
internal sealed class MemoryTimeline
{
    private const int Left = 84;
    private const int Top = 30;
    private const int Width = 860;
    private const int Band = 22;
    private const int RebuiltBar = 5;

    /// <summary>The part of the width that the chunks of the loss may take, which are all alike and can be many.</summary>
    private const double LossPart = 0.15;

    private static readonly XNamespace s_svg = ReportPage.Svg;

    private readonly IReadOnlyList<LiveBytes> _operations;
    private readonly IReadOnlyList<(string Style, Func<LiveBytes, long> Bytes)> _categories;
    private readonly double[] _edges;
    private readonly int _height;
    private readonly long _top;

    /// <param name="operations">What is live, operation by operation.</param>
    /// <param name="categories">What is stacked, from below: the style class of each, and its bytes.</param>
    /// <param name="top">Bytes at the upper edge.</param>
    /// <param name="height">Height of the plot.</param>
    public MemoryTimeline(IReadOnlyList<LiveBytes> operations, IReadOnlyList<(string Style, Func<LiveBytes, long> Bytes)> categories, long top, int height)
    {
        (_operations, _categories, _top, _height) = (operations, categories, top, height);
        _edges = Edges(operations);
    }

    private int Bottom => Top + _height;

    /// <summary>The picture.</summary>
    /// <param name="title">What it shows.</param>
    /// <param name="note">What the mark at the fullest operation says.</param>
    public XElement Draw(string title, string note)
    {
        LiveBytes[] columns = Columns();
        return new XElement(
            s_svg + "svg",
            new XAttribute("viewBox", $"0 0 {Left + Width + 8} {Bottom + 2 * Band + 12}"),
            new XAttribute("width", Left + Width + 8),
            new XAttribute("height", Bottom + 2 * Band + 12),
            new XAttribute("role", "img"),
            new XElement(s_svg + "title", title),
            Grid(),
            _categories.Select((c, i) => Area(columns, c.Style, o => _categories.Take(i).Sum(below => below.Bytes(o)), c.Bytes)),
            Layers(),
            Phases(),
            Line("planned", Left, Top, Left + Width, Top),
            Text(Left - 8, Top + 4, ByteSize.Format(_top), "planned-size", "end"),
            Mark(note));
    }

    private long Total(LiveBytes operation) => _categories.Sum(c => c.Bytes(operation));

    private double Y(long bytes) => Top + _height * (1 - (double)bytes / _top);

    /// <summary>Where each operation begins, and where the last one ends, from 0 to <see cref="Width"/>.</summary>
    private static double[] Edges(IReadOnlyList<LiveBytes> operations)
    {
        int loss = operations.Count(o => o.Part == StepPart.Loss);
        int others = operations.Count - loss;
        double ofLoss = Math.Min(1, LossPart / (1 - LossPart) * others / Math.Max(1, loss));

        // One operation stands for all of the update.
        double update = Math.Max(1, 0.02 * others);
        var edges = new double[operations.Count + 1];
        for (int i = 0; i < operations.Count; i++)
        {
            edges[i + 1] = edges[i] + operations[i].Part switch { StepPart.Loss => ofLoss, StepPart.Update => update, _ => 1 };
        }

        return [.. edges.Select(e => e / edges[^1] * Width)];
    }

    private LiveBytes[] Columns()
    {
        var columns = new LiveBytes[Width];
        for (int i = 0; i < _operations.Count; i++)
        {
            int end = Math.Max((int)_edges[i] + 1, (int)_edges[i + 1]);
            for (int x = (int)_edges[i]; x < Math.Min(Width, end); x++)
            {
                columns[x] = _operations[i].Total > columns[x].Total ? _operations[i] : columns[x];
            }
        }

        return columns;
    }

    private XElement Area(LiveBytes[] columns, string style, Func<LiveBytes, long> below, Func<LiveBytes, long> bytes)
    {
        string[] upper = [.. columns.Select(c => Number(Y(below(c) + bytes(c))))];
        string[] lower = [.. columns.Select(c => Number(Y(below(c))))];
        var path = new StringBuilder($"M{Left} {upper[0]}");
        for (int x = 1; x <= Width; x++)
        {
            if (x == Width || upper[x] != upper[x - 1])
            {
                path.Append('H').Append(Left + x).Append('V').Append(x == Width ? lower[x - 1] : upper[x]);
            }
        }

        for (int x = Width - 1; x > 0; x--)
        {
            if (lower[x] != lower[x - 1])
            {
                path.Append('H').Append(Left + x).Append('V').Append(lower[x - 1]);
            }
        }

        return new XElement(s_svg + "path", new XAttribute("class", style), new XAttribute("d", path.Append('H').Append(Left).Append('Z').ToString()));
    }

    private IEnumerable<XElement> Grid()
    {
        long step = 1;
        while (_top / step > 6)
        {
            step *= 2;
        }

        for (long bytes = 0; bytes <= _top; bytes += step)
        {
            yield return Line("grid", Left, Y(bytes), Left + Width, Y(bytes));

            // The upper edge has a text of its own.
            if (Y(bytes) > Top + 14)
            {
                yield return Text(Left - 8, Y(bytes) + 4, bytes == 0 ? "0" : ByteSize.Format(bytes), "label", "end");
            }
        }
    }

    /// <summary>Over each part of each layer a field that says what it is; below, numbers of layers, and a bar under what runs forward again.</summary>
    private IEnumerable<XElement> Layers()
    {
        double labeled = double.NegativeInfinity;
        foreach ((int first, int end) in Runs(static (a, b) => a.Part == b.Part && (a.Part == StepPart.Loss || a.Index == b.Index)))
        {
            LiveBytes fullest = _operations.Skip(first).Take(end - first).MaxBy(Total);
            double x = Left + _edges[first];
            double width = _edges[end] - _edges[first];
            yield return Rectangle("field", x, Top, width, _height, $"{StepText.Region(fullest)}: at most {ByteSize.Format(Total(fullest))}");
            if (fullest.Part == StepPart.Recompute)
            {
                yield return Rectangle("recomputed", x, Bottom, width, RebuiltBar, StepText.Region(fullest));
            }
            else if (fullest.Part is StepPart.Forward or StepPart.Backward && x - labeled >= 30)
            {
                labeled = x;
                yield return Text(x + width / 2, Bottom + Band - 4, Invariant(fullest.Index), "label", "middle");
            }
        }

        yield return Text(Left - 8, Bottom + Band - 4, "layer", "label", "end");
    }

    private IEnumerable<XElement> Phases()
    {
        foreach ((int first, int end) in Runs(static (a, b) => StepText.Phase(a.Part) == StepText.Phase(b.Part)))
        {
            double x = Left + _edges[first];
            double width = _edges[end] - _edges[first];
            yield return Line("phase", x, Top, x, Bottom + 2 * Band);
            string name = StepText.Phase(_operations[first].Part);
            if (width > 7 * name.Length)
            {
                yield return Text(x + width / 2, Bottom + 2 * Band - 2, name, "phase-name", "middle");
            }
        }
    }

    private IEnumerable<(int First, int End)> Runs(Func<LiveBytes, LiveBytes, bool> together)
    {
        int first = 0;
        for (int i = 1; i <= _operations.Count; i++)
        {
            if (i == _operations.Count || !together(_operations[first], _operations[i]))
            {
                yield return (first, i);
                first = i;
            }
        }
    }

    private IEnumerable<XElement> Mark(string note)
    {
        int at = 0;
        for (int i = 1; i < _operations.Count; i++)
        {
            at = _operations[i].Total > _operations[at].Total ? i : at;
        }

        double x = Left + (_edges[at] + _edges[at + 1]) / 2;
        string anchor = x < Left + Width / 3.0 ? "start" : x > Left + Width * 2 / 3.0 ? "end" : "middle";
        yield return Line("mark", x, Top - 8, x, Bottom);
        yield return new XElement(
            s_svg + "circle", new XAttribute("class", "mark"), new XAttribute("cx", Number(x)), new XAttribute("cy", Number(Y(Total(_operations[at])))), new XAttribute("r", 4));
        yield return Text(x, Top - 13, note, "note", anchor);
    }

    private static XElement Rectangle(string style, double x, double y, double width, double height, string title) => new(
        s_svg + "rect",
        new XAttribute("class", style),
        new XAttribute("x", Number(x)),
        new XAttribute("y", Number(y)),
        new XAttribute("width", Number(width)),
        new XAttribute("height", Number(height)),
        new XElement(s_svg + "title", title));

    private static XElement Line(string style, double x1, double y1, double x2, double y2) => new(
        s_svg + "line",
        new XAttribute("class", style),
        new XAttribute("x1", Number(x1)),
        new XAttribute("y1", Number(y1)),
        new XAttribute("x2", Number(x2)),
        new XAttribute("y2", Number(y2)));

    private static XElement Text(double x, double y, string text, string style, string anchor) => new(
        s_svg + "text", new XAttribute("class", style), new XAttribute("x", Number(x)), new XAttribute("y", Number(y)), new XAttribute("text-anchor", anchor), text);

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);

    private static string Invariant(int number) => number.ToString(CultureInfo.InvariantCulture);
}
