using System.Globalization;
using System.Text.Json;

namespace ModelCompiler.HuggingFace.Config;

/// <summary>Values of a config.json as they are written there.</summary>
internal static class ConfigValue
{
    private const double Tolerance = 1e-6;
    private const int Shown = 60;

    /// <summary>Whether two values mean the same.</summary>
    public static bool Same(string actual, string expected)
    {
        if (double.TryParse(actual, NumberStyles.Float, CultureInfo.InvariantCulture, out double a)
            && double.TryParse(expected, NumberStyles.Float, CultureInfo.InvariantCulture, out double b))
        {
            // A description's numbers are floats.
            return Math.Abs(a - b) <= Tolerance * Math.Abs(b);
        }

        return Canonical(actual) == Canonical(expected);
    }

    /// <summary>A value as it is shown to people, on one line.</summary>
    public static string Show(JsonElement value)
    {
        string text = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length <= Shown ? text : text[..Shown] + "...";
    }

    /// <summary>Transformers has several names for one activation, one scaling and one type.</summary>
    private static string Canonical(string text) => text.Replace("\"torch.", "\"", StringComparison.Ordinal) switch
    {
        "\"swish\"" => "\"silu\"",
        "\"gelu_new\"" or "\"gelu_fast\"" => "\"gelu_pytorch_tanh\"",
        "\"su\"" => "\"longrope\"",
        var other => other,
    };
}
