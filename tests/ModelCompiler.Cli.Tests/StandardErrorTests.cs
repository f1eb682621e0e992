using System.Text;
using ModelCompiler.CommandLine.Terminal;

namespace ModelCompiler.Cli.Tests;

public class StandardErrorTests
{
    [Fact]
    public void A_closed_terminal_ends_the_lines_and_not_the_run()
    {
        var terminal = new Terminal();
        using var error = new StandardError(terminal);
        error.WriteLine("a");
        terminal.Closed = true;
        error.WriteLine("b");
        error.Write('c');
        error.Write("d");
        error.Write(['e'], 0, 1);
        error.Flush();
        Assert.Equal(("a" + Environment.NewLine, 1), (terminal.Text.ToString(), terminal.Refused));
    }

    [Fact]
    public void Other_failures_are_not_hidden()
    {
        using var error = new StandardError(new Terminal { Failure = new InvalidOperationException() });
        Assert.Throws<InvalidOperationException>(() => error.WriteLine("a"));
    }

    private sealed class Terminal : TextWriter
    {
        public StringBuilder Text { get; } = new();

        public bool Closed { get; set; }

        public Exception? Failure { get; init; }

        public int Refused { get; private set; }

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            if (Failure is not null)
            {
                throw Failure;
            }

            if (Closed)
            {
                Refused++;
                throw new IOException("Input/output error");
            }

            Text.Append(value);
        }
    }
}
