using System.Globalization;

namespace ModelCompiler.Adapters;

/// <summary>One argument of an adapter method.</summary>
/// <param name="Name">Its name in the attribute and in the options.</param>
/// <param name="Value">A number, a truth value or an enum's member.</param>
public readonly record struct AdapterArgument(string Name, object Value)
{
    /// <summary>The value as C# writes it, exactly: "0.1f", "true", "RankDraw.Uniform".</summary>
    public string Literal => Value switch
    {
        bool truth => truth ? "true" : "false",
        float number when number == Math.Floor(number) && Math.Abs(number) < 1e6f => number.ToString("R", CultureInfo.InvariantCulture),
        float number => number.ToString("R", CultureInfo.InvariantCulture) + "f",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        Enum member => $"{member.GetType().Name}.{member}",
        _ => Convert.ToString(Value, CultureInfo.InvariantCulture)!,
    };
}
