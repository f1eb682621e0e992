using System.CommandLine;
using ModelCompiler.CommandLine.Terminal;

namespace ModelCompiler.CommandLine.Commands;

/// <summary>A command of the host.</summary>
internal abstract class HostCommand : Command
{
    protected HostCommand(string name, string description, Session session)
        : base(name, description)
    {
        Session = session;
        SetAction((arguments, cancellation) => Task.FromResult(Run(arguments, cancellation)));
    }

    /// <summary>Where it writes.</summary>
    protected Session Session { get; }

    /// <summary>Runs the command.</summary>
    /// <returns>The exit code.</returns>
    protected abstract int Run(ParseResult arguments, CancellationToken cancellation);
}
