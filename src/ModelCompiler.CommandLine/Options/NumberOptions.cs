using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace ModelCompiler.CommandLine.Options;

/// <summary>Options that take a number in a range, whatever the machine's culture.</summary>
internal static class NumberOptions
{
    /// <summary>A whole number with a default.</summary>
    public static Option<int> Whole(string name, string description, int defaultValue, int minimum = 1, int maximum = int.MaxValue) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result => ParseWhole(result, name, minimum, maximum) ?? 0,
    };

    /// <summary>A whole number that may be absent.</summary>
    public static Option<int?> OptionalWhole(string name, string description, int minimum = 1, int maximum = int.MaxValue) => new(name)
    {
        Description = description,
        CustomParser = result => ParseWhole(result, name, minimum, maximum),
    };

    /// <summary>A whole number of any sign with a default.</summary>
    public static Option<long> Long(string name, string description, long defaultValue) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value))
            {
                return value;
            }

            result.AddError($"{name} takes a whole number, not '{text}'");
            return 0;
        },
    };

    /// <summary>A number with a default.</summary>
    public static Option<double> Real(string name, string description, double defaultValue, double minimum, double maximum) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => defaultValue,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= minimum && value <= maximum)
            {
                return value;
            }

            result.AddError(string.Create(CultureInfo.InvariantCulture, $"{name} takes a number from {minimum} to {maximum}, not '{text}'"));
            return 0;
        },
    };

    private static int? ParseWhole(ArgumentResult result, string name, int minimum, int maximum)
    {
        string text = result.Tokens[0].Value;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value) && value >= minimum && value <= maximum)
        {
            return value;
        }

        string range = maximum == int.MaxValue ? $"of at least {minimum}" : $"from {minimum} to {maximum}";
        result.AddError($"{name} takes a whole number {range}, not '{text}'");
        return null;
    }
}
