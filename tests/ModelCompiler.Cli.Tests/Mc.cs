using System.Text.Json;
using ModelCompiler.CommandLine;
using ModelCompiler.Models;

namespace ModelCompiler.Cli.Tests;

/// <summary>What a command left behind.</summary>
internal sealed record Outcome(int Code, string Output, string Error)
{
    /// <summary>Standard output as exactly one JSON object.</summary>
    public JsonElement Json()
    {
        Assert.True(Output.Length > 0, $"nothing on standard output; standard error: {Error}");
        JsonElement root = JsonDocument.Parse(Output).RootElement;
        Assert.Equal(JsonValueKind.Object, root.ValueKind);
        return root;
    }

    /// <summary>Asserts a refusal: this code, one line on standard error with all of the words, nothing on standard output.</summary>
    public void AssertRefused(int code, params string[] words)
    {
        string line = Assert.Single(Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.All(words, word => Assert.Contains(word, line, StringComparison.OrdinalIgnoreCase));
        Assert.Equal(code, Code);
        Assert.Empty(Output);
    }
}

/// <summary>Runs <c>mc</c> in this process over the gallery's models.</summary>
internal static class Mc
{
    // What a command caches stays with the build, and out of the user's folders.
    static Mc() => Environment.SetEnvironmentVariable("XDG_CACHE_HOME", Path.Combine(AppContext.BaseDirectory, "cache"));

    /// <summary>Runs a command line; words are split at spaces.</summary>
    public static Outcome Run(string line) => Run(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Runs a command line.</summary>
    public static Outcome Run(string[] args, CancellationToken cancellation = default)
    {
        Gallery.Register();
        using var output = new StringWriter();
        using var error = new StringWriter();
        int code = ModelHost.RunAsync(args, output, error, "mc", cancellation).GetAwaiter().GetResult();
        return new Outcome(code, output.ToString(), error.ToString());
    }
}
