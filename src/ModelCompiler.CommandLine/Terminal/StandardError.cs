using System.Text;

namespace ModelCompiler.CommandLine.Terminal;

/// <summary>
/// Standard error, which may end before the run: a closed terminal refuses every line, and the run has still to save. What cannot be written has no
/// reader, so the first refusal is the last attempt.
/// </summary>
/// <param name="inner">Where lines go while that works.</param>
internal sealed class StandardError(TextWriter inner) : TextWriter
{
    private volatile bool _gone;

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Try(() => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    public override void Write(string? value) => Try(() => inner.Write(value));

    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (_gone)
        {
            return;
        }

        try
        {
            write();
        }
        catch (IOException)
        {
            _gone = true;
        }
    }
}
