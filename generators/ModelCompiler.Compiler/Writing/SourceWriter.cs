using System.Text;
using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>An indented text writer of one class's code; lines end in '\n' on every system.</summary>
public sealed class SourceWriter(TypeSpec type)
{
    private readonly StringBuilder _text = new();
    private int _indent;

    /// <summary>Writes a line at the current depth.</summary>
    public SourceWriter Line(string text = "")
    {
        if (text.Length > 0)
        {
            _text.Append(' ', 4 * _indent).Append(RuntimeNames.Resolve(type, text));
        }

        _text.Append('\n');
        return this;
    }

    /// <summary>Opens a brace.</summary>
    public SourceWriter Open(string header)
    {
        Line(header);
        return Open();
    }

    /// <summary>Opens a brace on its own line.</summary>
    public SourceWriter Open()
    {
        Line("{");
        _indent++;
        return this;
    }

    /// <summary>Closes a brace.</summary>
    public SourceWriter Close(string after = "")
    {
        _indent--;
        return Line("}" + after);
    }

    /// <summary>One step deeper, for a continued line.</summary>
    public SourceWriter Deeper()
    {
        _indent++;
        return this;
    }

    /// <summary>One step back.</summary>
    public SourceWriter Back()
    {
        _indent--;
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();
}
