using System.CommandLine;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Planning;

namespace ModelCompiler.CommandLine.Options;

/// <summary>The memory a run may take.</summary>
internal static class BudgetOption
{
    /// <summary>The option.</summary>
    public static Option<string?> Create() => new("--budget") { Description = "Memory that the run may use: 24GiB, 8 GB, 900MiB" };

    /// <summary>The bytes of it; null where it is not given.</summary>
    /// <exception cref="UsageException">It is not a size.</exception>
    public static long? Read(ParseResult arguments, Option<string?> option)
    {
        if (arguments.GetValue(option) is not { } text)
        {
            return null;
        }

        if (text.Length > 0 && text.All(c => char.IsAsciiDigit(c) || c is '.'))
        {
            throw new UsageException($"--budget needs a unit; did you mean {text}GiB? (bytes are B)");
        }

        return ByteSize.TryParse(text, out long bytes)
            ? bytes
            : throw new UsageException($"--budget takes a size of memory such as 24GiB, 8 GB or 900MiB, not '{text}'");
    }
}
