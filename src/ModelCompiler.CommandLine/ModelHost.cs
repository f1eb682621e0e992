using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using ModelCompiler.CommandLine.Commands;
using ModelCompiler.CommandLine.Options;
using ModelCompiler.CommandLine.Quickstart;
using ModelCompiler.CommandLine.Terminal;
using ModelCompiler.Models;

namespace ModelCompiler.CommandLine;

/// <summary>
/// The commands of <c>mc</c> over the compiled models of this process, under the name of the program: list, inspect, plan, tune, train, compare, evaluate,
/// logits, generate, quantize, merge, export, and the quickstart where its recipe is among the models.
/// </summary>
public static class ModelHost
{
    /// <summary>Runs one command line on the process's console. Ctrl-C, a closed terminal and SIGTERM stop at the end of the step under way; a second one at once.</summary>
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
        using PosixSignalRegistration hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Interrupt);
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Interrupt);
        TextWriter error = Console.Error;
        Console.SetError(new StandardError(error));
        try
        {
            return await RunAsync(args, Console.Out, Console.Error, cancellation: interrupted.Token).ConfigureAwait(false);
        }
        finally
        {
            Console.SetError(error);
        }
    }

    /// <summary>Runs one command line.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="output">Receives the result.</param>
    /// <param name="error">Receives errors, progress and notes.</param>
    /// <param name="program">The name that the program speaks under; null: the one that it was started by.</param>
    /// <param name="cancellation">Stops the run at the end of the step under way.</param>
    /// <returns>0 done, 1 failed, 2 bad usage or input, 3 does not fit the budget, 130 interrupted.</returns>
    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error, string? program = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(args);
        var session = new Session(program ?? RootCommand.ExecutableName, output, error);
        try
        {
            // A value that begins with @ is that value, not the name of a file with further arguments.
            var syntax = new ParserConfiguration { ResponseFileTokenReplacer = null };
            ParseResult parsed = Root(session).Parse(args.Length == 0 ? ["--help"] : OldSpellings.Replace(args), syntax);
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
        CommandResult command = parsed.CommandResult;
        string path = PathOf(command);
        Argument? missing = command.Command.Arguments.FirstOrDefault(a => parsed.GetResult(a) is not { Tokens.Count: > 0 });
        string problem = parsed.UnmatchedTokens.Count > 0 ? Unknown(command, path, parsed.UnmatchedTokens[0])
            : missing is not null ? $"{path} needs <{missing.Name}>"
            : parsed.Errors[0].Message.TrimEnd('.');
        return new UsageException($"{problem}{(problem.EndsWith('?') ? " See" : "; see")} {path} --help");
    }

    private static string Unknown(CommandResult result, string path, string token)
    {
        IEnumerable<Symbol> known = token.StartsWith('-')
            ? [.. result.Command.Options, .. CommonOptions.All]
            : result.Command.Subcommands;
        return $"{path} does not know '{token}'{Suggestions.For(token, known.Where(s => !s.Hidden).Select(s => s.Name))}";
    }

    /// <summary>The command as the user writes it: "mc plan".</summary>
    private static string PathOf(CommandResult result) =>
        result.Parent is CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : result.Command.Name;

    /// <summary>A plain command, for a RootCommand has the name of the executable alone.</summary>
    private static Command Root(Session session)
    {
        var root = new Command(session.Program, "Transformers described with attributes, compiled to C#: plan, fine-tune and generate.")
        {
            new HelpOption(),
            new VersionOption(),
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
        };
        if (ModelRegistry.TryFind(QuickstartCommand.Recipe, out _))
        {
            root.Subcommands.Insert(0, new QuickstartCommand(session));
            root.Add(new PretrainCommand(session));
        }

        foreach (Option option in CommonOptions.All)
        {
            root.Add(option);
        }

        return root;
    }
}
