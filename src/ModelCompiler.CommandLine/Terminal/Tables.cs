using System.Globalization;
using ModelCompiler.Planning;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>How tables and the numbers in them look.</summary>
internal static class Tables
{
    /// <summary>A table with these columns.</summary>
    public static Table Create(params ReadOnlySpan<string> columns)
    {
        Table table = new Table().Border(TableBorder.Simple);
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(Markup.Escape(column)) { NoWrap = true });
        }

        return table;
    }

    /// <summary>A count with thousands separated.</summary>
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A size to the byte, and as people read it.</summary>
    public static string Bytes(long value) => $"{Count(value)} bytes ({ByteSize.Format(value)})";

    /// <summary>A number with this many decimals.</summary>
    public static string Number(double value, int decimals) => value.ToString("F" + decimals.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>A loss, with its deviation between seeds where there are several.</summary>
    public static string Loss(double mean, double deviation, int seeds) => Number(mean, 4) + (seeds > 1 ? $" ± {Number(deviation, 4)}" : "");
}
