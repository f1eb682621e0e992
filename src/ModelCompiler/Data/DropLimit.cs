using System.Globalization;

namespace ModelCompiler.Data;

/// <summary>How many rows that nothing can be learned from may be left out of the data: a share of all rows, rounded up, or a number. The default value is none.</summary>
public readonly record struct DropLimit
{
    private readonly double? _share;
    private readonly int _rows;

    private DropLimit(double? share, int rows) => (_share, _rows) = (share, rows);

    /// <summary>None: the first such row is an error.</summary>
    public static DropLimit None => default;

    /// <summary>One row in twenty.</summary>
    public static DropLimit Default => Share(0.05);

    /// <summary>A share of all rows.</summary>
    /// <param name="share">From 0 to 1.</param>
    public static DropLimit Share(double share) => share is >= 0 and <= 1
        ? new DropLimit(share == 0 ? null : share, 0)
        : throw new ArgumentOutOfRangeException(nameof(share), share, "a share is from 0 to 1");

    /// <summary>A number of rows.</summary>
    public static DropLimit Rows(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        return new DropLimit(null, rows);
    }

    /// <summary>Reads "5%", "0.05" or a number of rows.</summary>
    public static bool TryParse(string? text, out DropLimit limit)
    {
        limit = default;
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (text is null)
        {
            return false;
        }

        if (int.TryParse(text, NumberStyles.None, culture, out int rows))
        {
            limit = Rows(rows);
            return true;
        }

        bool percent = text.EndsWith('%');
        if (!double.TryParse(percent ? text[..^1].TrimEnd() : text, NumberStyles.AllowDecimalPoint, culture, out double value)
            || !(value >= 0 && value <= (percent ? 100 : 1)))
        {
            return false;
        }

        limit = Share(percent ? value / 100 : value);
        return true;
    }

    /// <summary>Whether so many of these rows may be left out.</summary>
    public bool Allows(int dropped, int rows) => dropped <= (_share is { } share ? Math.Ceiling(share * rows) : _rows);

    /// <summary>As in "5 % of them" or "20".</summary>
    public override string ToString() => _share is { } share
        ? string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.####} % of them")
        : _rows.ToString(CultureInfo.InvariantCulture);
}
