using System.CommandLine;
using System.Globalization;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Training;

namespace ModelCompiler.CommandLine.Options;

/// <summary>How often a run is saved: in steps, or in minutes.</summary>
internal static class SaveEveryOption
{
    private static readonly string[] s_minutes = ["minutes", "min", "m"];

    /// <summary>The option.</summary>
    public static Option<string> Create() => new("--save-every")
    {
        Description = "Checkpoint every N steps (50) or minutes (10m); 0: only at the end",
        DefaultValueFactory = _ => "10m",
    };

    /// <summary>The options of a run with it.</summary>
    /// <exception cref="UsageException">It is neither steps nor minutes.</exception>
    public static TrainingOptions Apply(TrainingOptions run, string text)
    {
        string? unit = s_minutes.FirstOrDefault(u => text.EndsWith(u, StringComparison.OrdinalIgnoreCase));
        if (unit is null)
        {
            return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int steps)
                ? run with { SaveEvery = steps, SaveInterval = Timeout.InfiniteTimeSpan }
                : throw Wrong(text);
        }

        string number = text[..^unit.Length].TrimEnd();
        return double.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double minutes) && minutes is > 0 and <= 1e6
            ? run with { SaveInterval = TimeSpan.FromMinutes(minutes) }
            : throw Wrong(text);
    }

    private static UsageException Wrong(string text) => new($"--save-every takes a number of steps such as 50, or minutes such as 10m, not '{text}'");
}
