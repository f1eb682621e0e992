using System.Globalization;

namespace ModelCompiler.Files;

/// <summary>Who holds the lock of a folder: four lines of a file.</summary>
/// <param name="Process">The number of the process.</param>
/// <param name="Started">When the process started, in UTC: with the number it names one process.</param>
/// <param name="Taken">When it took the lock, in UTC.</param>
/// <param name="Host">The machine.</param>
internal sealed record FolderHolder(int Process, DateTime Started, DateTime Taken, string Host)
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";

    /// <summary>This process, now.</summary>
    public static FolderHolder Own() => new(Environment.ProcessId, ToMilliseconds(ProcessIdentity.OwnStart), ToMilliseconds(DateTime.UtcNow), Environment.MachineName);

    /// <summary>Reads the file; null where there is none that makes sense.</summary>
    public static FolderHolder? Read(string path)
    {
        string[] lines;
        try
        {
            lines = File.ReadAllLines(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        return lines.Length >= 4
            && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out int process)
            && TryReadTime(lines[1], out DateTime started)
            && TryReadTime(lines[2], out DateTime taken)
            ? new FolderHolder(process, started, taken, lines[3])
            : null;
    }

    /// <summary>The file's text.</summary>
    public string Text() => string.Create(CultureInfo.InvariantCulture, $"{Process}\n{Time(Started)}\n{Time(Taken)}\n{Host}\n");

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"process {Process} since {Taken.ToLocalTime():yyyy-MM-dd HH:mm:ss}{(Host == Environment.MachineName ? "" : $" on {Host}")}");

    /// <summary>As the file has it, so that what is read equals what was written.</summary>
    private static DateTime ToMilliseconds(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerMillisecond, DateTimeKind.Utc);

    private static string Time(DateTime time) => time.ToString(TimeFormat, CultureInfo.InvariantCulture);

    private static bool TryReadTime(string text, out DateTime time) => DateTime.TryParseExact(
        text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
}
