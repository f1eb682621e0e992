using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using ModelCompiler.Hosting.Commands;
using ModelCompiler.Hosting.Quickstart;

namespace ModelCompiler.Hosting;

/// <summary>The commands of <c>mc</c> over the compiled models of this process: quickstart, list, inspect, plan, tune, train, evaluate, logits, generate, quantize.</summary>
public static class ModelHost
{
    /// <summary>Runs one command line on the process's console. Ctrl-C stops at the end of the step under way; a second one at once.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>0 done, 1 failed, 2 bad usage or input, 3 does not fit the budget, 130 interrupted.</returns>
    public static async Task<int> RunAsync(string[] args)
    {
        using var interrupted = new CancellationTokenSource();
        void Interrupt(PosixSignalContext signal)
        {
            if (!interrupted.IsCancellationRequested)
            {
                signal.Cancel = true;
                interrupted.Cancel();
            }
        }

        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Interrupt);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        return await RunAsync(args, Console.Out, Console.Error, interrupted.Token).ConfigureAwait(false);
    }

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="output">Receives the result.</param>
    /// <param name="error">Receives errors, progress and notes.</param>
    /// <param name="cancellation">Stops the run at the end of the step under way.</param>
    /// <returns>0 done, 1 failed, 2 bad usage or input, 3 does not fit the budget, 130 interrupted.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        var session = new Session(output, error);
        try
        {
            ParseResult parsed = Root(session).Parse(args);
            session.Json = parsed.GetValue(CommonOptions.Json);
            session.Verbose = parsed.GetValue(CommonOptions.Verbose);
            if (parsed.Action is ParseErrorAction)
            {
                throw UsageError(parsed);
            }

            var configuration = new InvocationConfiguration
            {
                Output = output,
                Error = error,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(configuration, cancellation).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            return Failure.Report(failure, session);
        }
    }

    private static UsageException UsageError(ParseResult parsed)
    {
        string command = PathOf(parsed.CommandResult);
        Argument? missing = parsed.CommandResult.Command.Arguments.FirstOrDefault(a => parsed.GetResult(a) is not { Tokens.Count: > 0 });
        string problem = parsed.UnmatchedTokens.Count > 0 ? $"{command} does not know '{parsed.UnmatchedTokens[0]}'"
            : missing is not null ? $"{command} needs <{missing.Name}>"
            : parsed.Errors[0].Message.TrimEnd('.');
        return new UsageException($"{problem}; see {command} --help");
    }

    /// <summary>The command as the user writes it: "mc plan".</summary>
    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : "mc";

    private static RootCommand Root(Session session)
    {
        var root = new RootCommand("Transformers described with attributes, compiled to C#: plan, fine-tune and generate.")
        {
            new QuickstartCommand(session),
            new ListCommand(session),
            new InspectCommand(session),
            new PlanCommand(session),
            new TuneCommand(session),
            new TrainCommand(session),
            new CompareCommand(session),
            new EvaluateCommand(session),
            new LogitsCommand(session),
            new GenerateCommand(session),
            new QuantizeCommand(session),
            new MergeCommand(session),
            new ExportCommand(session),
            new PretrainCommand(session),
        };
        foreach (Option option in CommonOptions.All)
        {
            root.Add(option);
        }

        return root;
    }
}
