using ModelCompiler.Files;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>The one place where an exception becomes one line and an exit code.</summary>
internal static class Failure
{
    /// <summary>Tells the user what went wrong.</summary>
    /// <returns>The exit code.</returns>
    public static int Report(Exception error, Session session)
    {
        (int code, string message) = Describe(error);
        session.Note(OneLine(message));
        if (session.Verbose)
        {
            session.Error.WriteLine(error);
        }

        return code;
    }

    private static (int Code, string Message) Describe(Exception error) => error switch
    {
        OperationCanceledException => (ExitCode.Interrupted, "interrupted"),
        MemoryShortageException => (ExitCode.OverBudget, error.Message),
        OutputException => (ExitCode.Failed, error.Message),
        ModelCompilerException => (ExitCode.BadInput, error.Message),
        FileNotFoundException or DirectoryNotFoundException => (ExitCode.BadInput, error.Message),
        IOException or UnauthorizedAccessException => (ExitCode.Failed, error.Message),
        AggregateException { InnerExceptions: [var first, _, ..] all } =>
            (Describe(first).Code, string.Join("; and then ", all.Select(e => Describe(e).Message))),
        OutOfMemoryException => (ExitCode.Failed, "the machine has not enough memory: " + error.Message),
        _ => (ExitCode.Failed, $"unexpected error, a defect of this program: {error.GetType().Name}: {error.Message}; --verbose shows where"),
    };

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");
}
