using System.Globalization;

namespace ModelCompiler.Planning;

/// <summary>Sizes of memory as people write them: "4 GiB", "24GB", "900 MiB". GiB = 2^30 bytes, GB = 10^9 bytes.</summary>
public static class ByteSize
{
    private static readonly (string Name, long Bytes)[] Units =
    [
        ("TiB", 1L << 40), ("GiB", 1L << 30), ("MiB", 1L << 20), ("KiB", 1L << 10),
        ("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000), ("B", 1),
    ];

    /// <summary>Reads a size: a positive number with or without a decimal point, then a unit in any case; without a unit it is bytes.</summary>
    /// <param name="text">The size as written.</param>
    /// <param name="bytes">The whole bytes in it; 0 when it cannot be read.</param>
    /// <returns>Whether the text is a size of at least one byte.</returns>
    public static bool TryParse(string? text, out long bytes)
    {
        bytes = 0;
        string number = (text ?? "").Trim();
        long unit = 1;
        foreach ((string name, long size) in Units)
        {
            if (number.EndsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                number = number.Substring(0, number.Length - name.Length).TrimEnd();
                unit = size;
                break;
            }
        }

        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal amount) || amount > long.MaxValue / (decimal)unit)
        {
            return false;
        }

        bytes = (long)(amount * unit);
        return bytes > 0;
    }

    /// <summary>Writes a size with the largest binary unit that it reaches and two decimals: "3.25 GiB", "17 B".</summary>
    /// <param name="bytes">A number of bytes.</param>
    public static string Format(long bytes)
    {
        foreach ((string name, long size) in Units)
        {
            if (name.EndsWith("iB", StringComparison.Ordinal) && bytes >= size)
            {
                return (bytes / (decimal)size).ToString("0.00", CultureInfo.InvariantCulture) + " " + name;
            }
        }

        return bytes.ToString(CultureInfo.InvariantCulture) + " B";
    }
}
