using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>Where a run of the program writes: results to standard output, everything else to standard error.</summary>
internal sealed class Session
{
    private readonly TextWriter _output;

    /// <param name="program">The name that the program was started by.</param>
    /// <param name="output">For results.</param>
    /// <param name="error">For everything else.</param>
    public Session(string program, TextWriter output, TextWriter error)
    {
        Program = program;
        _output = output;
        Error = error;
        ErrorIsTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
    }

    /// <summary>The name that messages speak under and that a user types.</summary>
    public string Program { get; }

    /// <summary>For errors, progress and notes.</summary>
    public TextWriter Error { get; }

    /// <summary>Whether a person watches standard error.</summary>
    public bool ErrorIsTerminal { get; }

    /// <summary>Whether the result is one JSON object.</summary>
    public bool Json { get; set; }

    /// <summary>Whether errors come with their stack.</summary>
    public bool Verbose { get; set; }

    /// <summary>Writes the result: as JSON, or as the tables a person reads.</summary>
    public void Emit<T>(T result, JsonTypeInfo<T> type, Action<IAnsiConsole> show)
    {
        if (Json)
        {
            _output.WriteLine(JsonSerializer.Serialize(result, type));
        }
        else
        {
            show(ConsoleOver(_output, ReferenceEquals(_output, Console.Out) && !Console.IsOutputRedirected));
        }

        _output.Flush();
    }

    /// <summary>Says something beside the result.</summary>
    public void Note(string text) => Error.WriteLine($"{Program}: {text}");

    /// <summary>Shows a piece of the result as soon as it is there; with <c>--json</c> the result comes whole at the end.</summary>
    public void Stream(string piece)
    {
        if (!Json)
        {
            _output.Write(piece);
            _output.Flush();
        }
    }

    /// <summary>Tables and progress for people on standard error.</summary>
    public IAnsiConsole ErrorConsole() => ConsoleOver(Error, ErrorIsTerminal);

    private static IAnsiConsole ConsoleOver(TextWriter writer, bool terminal)
    {
        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Out = new AnsiConsoleOutput(writer),
            Ansi = terminal ? AnsiSupport.Detect : AnsiSupport.No,
            ColorSystem = terminal ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Interactive = terminal ? InteractionSupport.Detect : InteractionSupport.No,
        });
        if (!terminal)
        {
            // Lines of a file or a pipe do not wrap.
            console.Profile.Width = 200;
        }

        return console;
    }
}
