namespace ModelCompiler.CommandLine.Options;

/// <summary>Options that had another name before; scripts that still use it go on, help and errors name the new one.</summary>
internal static class OldSpellings
{
    private static readonly Dictionary<string, string> s_renamed = new(StringComparer.Ordinal)
    {
        ["--accumulate"] = "--gradient-accumulation",
        ["--activations"] = "--saved-activations",
        ["--warmup"] = "--warmup-steps",
        ["--warm-up"] = "--warmup-steps",
    };

    /// <summary>The command line with today's names.</summary>
    public static string[] Replace(string[] arguments) => [.. arguments.Select(Replace)];

    private static string Replace(string argument)
    {
        int end = argument.IndexOfAny(['=', ':']);
        string name = end < 0 ? argument : argument[..end];
        return s_renamed.TryGetValue(name, out string? today) ? today + argument[name.Length..] : argument;
    }
}
