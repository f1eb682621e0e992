using Spectre.Console;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>The terms of a cost as one bar of colors, for people at a terminal.</summary>
internal static class TermsBar
{
    private const int Width = 64;

    private static readonly Color[] s_colors =
    [
        Color.SteelBlue, Color.DodgerBlue1, Color.LightSeaGreen, Color.MediumPurple, Color.Orange1, Color.Tan, Color.DarkOliveGreen3, Color.Grey,
    ];

    /// <summary>Whether there are colors to tell terms apart by.</summary>
    public static bool Suits(IAnsiConsole console) => console.Profile.Capabilities.Ansi && console.Profile.Capabilities.ColorSystem != ColorSystem.NoColors;

    /// <summary>The name of a term with its color before it.</summary>
    public static string Name(int term, string name) => $"[{s_colors[term % s_colors.Length].ToMarkup()}]■[/] {Markup.Escape(name)}";

    /// <summary>The bar.</summary>
    /// <param name="bytes">The terms, in the order of their names.</param>
    public static BreakdownChart Of(IEnumerable<long> bytes)
    {
        BreakdownChart chart = new BreakdownChart().Width(Width).HideTags();
        foreach ((int term, long size) in bytes.Index())
        {
            chart.AddItem("", size, s_colors[term % s_colors.Length]);
        }

        return chart;
    }
}
