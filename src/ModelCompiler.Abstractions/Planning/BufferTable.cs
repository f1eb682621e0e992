using System.Globalization;
using System.Text;

namespace ModelCompiler.Planning;

/// <summary>
/// The buffers of a region's frames as a table of text: a row a buffer, a column a frame. A cell says where the buffer lives in that frame and how long,
/// as positions of operations: "saved 3..40" from the operation that writes it to the last that reads it, "in Gate" in another's memory, "-" not at all.
/// A star behind the shape says that it holds statistics. Columns are two or more spaces apart.
/// </summary>
public sealed class BufferTable
{
    private const char Statistic = '*';
    private static readonly BufferKind[] s_kinds = [.. Enum.GetValues(typeof(BufferKind)).Cast<BufferKind>()];

    private readonly string[][] _lines;
    private readonly string[] _frames;
    private readonly FrameBuffer[][] _buffers;

    private BufferTable(string[][] lines, string[] frames, FrameBuffer[][] buffers) => (_lines, _frames, _buffers) = (lines, frames, buffers);

    /// <summary>The buffers of a frame, by the head of its column.</summary>
    /// <exception cref="ArgumentException">The table has no such column.</exception>
    public FrameBuffer[] this[string frame] => Array.IndexOf(_frames, frame) is >= 0 and var column
        ? _buffers[column]
        : throw new ArgumentException($"The table has no frame '{frame}', only {string.Join(", ", _frames)}.", nameof(frame));

    /// <summary>Reads a table.</summary>
    /// <param name="text">Its lines: first the heads of the columns, "buffer  shape" and the frames.</param>
    /// <exception cref="FormatException">A cell is none of the forms.</exception>
    public static BufferTable Read(string text) => Read(Lines(text));

    /// <summary>Reads a table that differs from another in some of its rows.</summary>
    /// <param name="rest">The other.</param>
    /// <param name="text">The heads of the columns and the rows that differ.</param>
    /// <exception cref="FormatException">A cell is none of the forms.</exception>
    public static BufferTable Read(BufferTable rest, string text)
    {
        string[][] differing = [.. Lines(text).Skip(1)];
        return Read([.. rest._lines.Select(row => differing.LastOrDefault(other => other[0] == row[0]) ?? row)]);
    }

    private static BufferTable Read(string[][] lines)
    {
        string[] frames = lines.Length == 0 ? throw new FormatException("The table has no heads of columns.") : [.. lines[0].Skip(2)];
        string[][] rows = [.. lines.Skip(1)];
        string[] names = [.. rows.Select(static row => row[0])];
        if (names.Distinct().Count() < names.Length)
        {
            throw new FormatException($"Buffer '{names.GroupBy(static name => name).First(static same => same.Count() > 1).Key}' has two rows.");
        }

        var buffers = new FrameBuffer[frames.Length][];
        for (int frame = 0; frame < frames.Length; frame++)
        {
            buffers[frame] = new FrameBuffer[rows.Length];
            for (int row = 0; row < rows.Length; row++)
            {
                if (rows[row].Length != frames.Length + 2)
                {
                    throw new FormatException($"Buffer '{names[row]}' has {rows[row].Length} cells, not {frames.Length + 2}.");
                }

                int shares = rows[row][frame + 2] is ['i', 'n', ' ', ..] ? Array.IndexOf(names, rows[row][frame + 2].Substring(3)) : -1;
                buffers[frame][row] = Buffer(names[row], rows[row][1], rows[shares < 0 ? row : shares][frame + 2], shares);
            }
        }

        return new BufferTable(lines, frames, buffers);
    }

    /// <summary>The text of frames whose buffers have the same names in the same order.</summary>
    /// <param name="frames">The heads of the columns, and the buffers.</param>
    /// <param name="rest">The frames of another table, with the same heads: rows that are the same there are left out; null: none are.</param>
    public static string Write(IReadOnlyList<(string Frame, FrameBuffer[] Buffers)> frames, IReadOnlyList<(string Frame, FrameBuffer[] Buffers)>? rest = null)
    {
        string[][] all = Rows(frames);
        string[][] others = rest is null ? [] : Rows(rest);
        string[][] lines = [.. all.Where((row, i) => i == 0 || i >= others.Length || !row.SequenceEqual(others[i]))];
        // A column is as wide as its lives: the few cells that name another buffer may push the rest of their row to the right.
        int[] widths = [.. lines[0].Select((_, column) => lines.Max(row => row[column].StartsWith("in ", StringComparison.Ordinal) ? 0 : row[column].Length) + 2)];
        var text = new StringBuilder();
        foreach (string[] row in lines)
        {
            int start = text.Length;
            int column = 0;
            for (int i = 0; i < row.Length; i++)
            {
                column += widths[i];
                text.Append(row[i]).Append(' ', i + 1 == row.Length ? 0 : Math.Max(2, start + column - text.Length));
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string[][] Rows(IReadOnlyList<(string Frame, FrameBuffer[] Buffers)> frames)
    {
        string[][] lines = new string[frames[0].Buffers.Length + 1][];
        lines[0] = ["buffer", "shape", .. frames.Select(static frame => frame.Frame)];
        for (int i = 1; i < lines.Length; i++)
        {
            FrameBuffer buffer = frames[0].Buffers[i - 1];
            string shape = $"[{buffer.Rows.ToText()}, {buffer.Columns.ToText()}]{(buffer.Statistic ? "*" : "")}";
            lines[i] = [buffer.Name, shape, .. frames.Select(frame => Cell(frame.Buffers, i - 1))];
        }

        return lines;
    }

    private static FrameBuffer Buffer(string name, string shape, string cell, int shares)
    {
        bool statistic = shape[shape.Length - 1] == Statistic;
        string[] sizes = shape.Trim('[', ']', Statistic).Split([", "], StringSplitOptions.None);
        if (sizes.Length != 2)
        {
            throw new FormatException($"'{shape}' is no shape of buffer '{name}'.");
        }

        var absent = new FrameBuffer(name, Dim.Parse(sizes[0]), Dim.Parse(sizes[1]), BufferKind.Absent, 0, 0, -1, statistic);
        if (cell == "-")
        {
            return absent;
        }

        string[] words = cell.Split([" ", ".."], StringSplitOptions.None);
        BufferKind kind = s_kinds.FirstOrDefault(kind => Word(kind) == words[0]);
        return words.Length == 3 && kind != BufferKind.Absent
            ? absent with { Kind = kind, First = Number(words[1]), Last = Number(words[2]), Shares = shares }
            : throw new FormatException($"'{cell}' does not say how long buffer '{name}' lives.");
    }

    private static string Cell(FrameBuffer[] buffers, int index) => buffers[index] switch
    {
        { Kind: BufferKind.Absent } => "-",
        { Shares: >= 0 and var owner } => "in " + buffers[owner].Name,
        var buffer => FormattableString.Invariant($"{Word(buffer.Kind)} {buffer.First}..{buffer.Last}"),
    };

    private static string Word(BufferKind kind) => kind == BufferKind.ResidualGradient ? "gradient" : kind.ToString().ToLowerInvariant();

    private static string[][] Lines(string text) => [.. text.Split('\n').Select(static line => line.Trim()).Where(static line => line.Length > 0).Select(Cells)];

    private static string[] Cells(string line) => line.Split(["  "], StringSplitOptions.RemoveEmptyEntries).Select(static cell => cell.Trim()).ToArray();

    private static int Number(string text) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
        ? number
        : throw new FormatException($"'{text}' is no position of an operation.");
}
