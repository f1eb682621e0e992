namespace ModelCompiler.Compiler.Writing;

/// <summary>
/// The layout of a method of kernel calls: what is said of a call stands in the margin, in one column for the whole method, or above a call that
/// leaves no room for it.
/// </summary>
internal sealed class BodyText
{
    private const int WidestFormula = 30;

    private readonly SourceWriter _w;
    private readonly int _formula;
    private readonly int _shape;
    private readonly int _margin;
    private readonly HashSet<string> _said = [];

    private BodyText(SourceWriter w, IReadOnlyList<OperationGroup> groups)
    {
        _w = w;
        (int Indent, OperationLine Line)[] lines =
            [.. groups.SelectMany(group => group.Lines.Select(line => (Indent: w.Margin + (group.Condition is null ? 0 : 4), line with { Call = w.Resolve(line.Call) })))];
        _formula = lines.Select(static l => l.Line.Formula.Length).Where(static length => length <= WidestFormula).DefaultIfEmpty().Max();
        _shape = lines.Select(static l => l.Line.Shape.Length).DefaultIfEmpty().Max();
        _margin = lines.Select(static l => l.Indent + l.Line.Call.Length + 2).Distinct()
            .OrderByDescending(column => lines.Count(l => InMargin(l.Indent, l.Line, column))).ThenBy(static column => column).FirstOrDefault();
    }

    /// <summary>Writes the groups.</summary>
    public static void Write(SourceWriter w, IReadOnlyList<OperationGroup> groups) => new BodyText(w, groups).Write(groups);

    /// <summary>Writes lines that all run.</summary>
    public static void Write(SourceWriter w, IReadOnlyList<OperationLine> lines) => Write(w, [new OperationGroup(null, lines)]);

    private void Write(IReadOnlyList<OperationGroup> groups)
    {
        bool first = true;
        foreach (OperationGroup group in groups)
        {
            if (group.Condition is not null)
            {
                _w.Open(group.Otherwise ? "else" : $"if ({group.Condition})");
            }

            foreach (OperationLine line in group.Lines)
            {
                WriteLine(line with { Call = _w.Resolve(line.Call) }, first);
                first = false;
            }

            if (group.Condition is not null)
            {
                _w.Close();
            }
        }
    }

    private void WriteLine(OperationLine line, bool first)
    {
        if (line.Section is not null)
        {
            if (!first)
            {
                _w.Line();
            }

            _w.Line("// " + line.Section);
        }

        // A formula is said once above, or beside each call that leaves room for it.
        string comment = Comment(line);
        string rest = Joined(line.Shape, line.Note);
        bool known = !_said.Add(line.Formula);
        if (comment.Length == 0)
        {
            _w.Line(line.Call);
        }
        else if (InMargin(_w.Margin, line, _margin))
        {
            _w.Line($"{line.Call.PadRight(_margin - _w.Margin)}// {comment}");
        }
        else if (Behind(line, Joined(line.Formula, rest)))
        {
            _w.Line($"{line.Call}  // {Joined(line.Formula, rest)}");
        }
        else if (known)
        {
            _w.Line(Behind(line, rest) && rest.Length > 0 ? $"{line.Call}  // {rest}" : line.Call);
        }
        else
        {
            _w.Line("// " + Joined(line.Formula, rest)).Line(line.Call);
        }
    }

    private bool Behind(OperationLine line, string comment) => _w.Margin + line.Call.Length + 5 + comment.Length <= SourceWriter.Width;

    private static string Joined(params string[] parts) => string.Join("  ", parts.Where(static part => part.Length > 0));

    private bool InMargin(int indent, OperationLine line, int column) => indent + line.Call.Length + 1 < column && column + 3 + Comment(line).Length <= SourceWriter.Width;

    private string Comment(OperationLine line) => $"{line.Formula.PadRight(_formula)}  {line.Shape.PadRight(_shape)}  {line.Note}".TrimEnd();
}
