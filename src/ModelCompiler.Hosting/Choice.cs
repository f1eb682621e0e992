namespace ModelCompiler.Hosting;

/// <summary>An option that takes one of a few words.</summary>
internal static class Choice
{
    /// <summary>The word as the product spells it.</summary>
    /// <param name="option">The option.</param>
    /// <param name="given">What the user wrote, in any case.</param>
    /// <param name="built">What works.</param>
    /// <param name="unbuilt">What the command line knows of beside it.</param>
    /// <exception cref="UsageException">It is neither, or does not exist yet.</exception>
    public static string Require(string option, string given, IReadOnlyList<string> built, IReadOnlyList<string> unbuilt)
    {
        if (Match(given, built) is string word)
        {
            return word;
        }

        string works = string.Join(" or ", built);
        throw Match(given, unbuilt) is string later
            ? UsageException.NotBuilt($"{option} {later}", $"{works} is what works here")
            : new UsageException($"{option} takes {works}, not '{given}'");
    }

    private static string? Match(string given, IReadOnlyList<string> words) =>
        words.FirstOrDefault(word => word.Equals(given, StringComparison.OrdinalIgnoreCase));
}
