using ModelCompiler.CommandLine.Terminal;

namespace ModelCompiler.CommandLine.Options;

/// <summary>An option that takes one of a few words.</summary>
internal static class EnumOption
{
    /// <summary>The word as the product spells it.</summary>
    /// <param name="option">The option.</param>
    /// <param name="given">What the user wrote, in any case.</param>
    /// <param name="words">What it takes.</param>
    /// <exception cref="UsageException">It is none of them.</exception>
    public static string Require(string option, string given, IReadOnlyList<string> words) =>
        words.FirstOrDefault(word => word.Equals(given, StringComparison.OrdinalIgnoreCase))
        ?? throw new UsageException($"{option} takes {string.Join(" or ", words)}, not '{given}'");
}
