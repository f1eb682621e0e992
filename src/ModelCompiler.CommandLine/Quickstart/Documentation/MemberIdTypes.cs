using System.Text;

namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>Renders a member ID's list of types: {} as &lt;&gt;, @ as ref, `0 as T, ``0 as U, namespaces and outer types left out.</summary>
internal ref struct MemberIdTypes
{
    private const int DeepestArguments = 64;

    private readonly ReadOnlySpan<char> _text;
    private readonly int _typeArity;
    private readonly int _methodArity;
    private int _at;
    private int _depth;

    private MemberIdTypes(ReadOnlySpan<char> text, int typeArity, int methodArity)
    {
        _text = text;
        _typeArity = typeArity;
        _methodArity = methodArity;
    }

    private readonly char Current => _at < _text.Length ? _text[_at] : '\0';

    /// <param name="list">Types with commas between, as in an ID.</param>
    /// <param name="typeArity">Type parameters of the declaring types together.</param>
    /// <param name="methodArity">Type parameters of the method.</param>
    public static string Render(string list, int typeArity, int methodArity) => new MemberIdTypes(list, typeArity, methodArity).List();

    /// <summary>T where there is one type parameter, T1, T2 ... where there are more.</summary>
    public static string Parameter(char letter, int index, int arity) => arity <= 1 ? letter.ToString() : $"{letter}{index + 1}";

    private string List()
    {
        var list = new StringBuilder(Type());
        while (Current == ',')
        {
            _at++;
            list.Append(", ").Append(Type());
        }

        return list.ToString();
    }

    private string Type()
    {
        var type = new StringBuilder(Current == '`' ? TypeParameter() : Name());
        bool byReference = false;
        while (Current is not ('\0' or ',' or '}'))
        {
            switch (Current)
            {
                case '[':
                    int dimensions = 1;
                    for (_at++; Current is not (']' or '\0'); _at++)
                    {
                        dimensions += Current == ',' ? 1 : 0;
                    }

                    type.Append('[').Append(',', dimensions - 1).Append(']');
                    break;
                case '@':
                    byReference = true;
                    break;
                case '*':
                    type.Append('*');
                    break;
            }

            _at = Math.Min(_at + 1, _text.Length);
        }

        return byReference ? $"ref {type}" : type.ToString();
    }

    private string TypeParameter()
    {
        int ticks = 0;
        for (; Current == '`'; _at++)
        {
            ticks++;
        }

        int index = 0;
        for (; char.IsAsciiDigit(Current); _at++)
        {
            index = index * 10 + Current - '0';
        }

        return ticks == 1 ? Parameter('T', index, _typeArity) : Parameter('U', index, _methodArity);
    }

    /// <summary>The last of the names between dots; one with arguments stays before those nested in it.</summary>
    private string Name()
    {
        string outer = "";
        while (true)
        {
            int start = _at;
            while (Current is not ('\0' or '.' or ',' or '{' or '}' or '[' or '@' or '*'))
            {
                _at++;
            }

            string name = outer + _text[start.._at].ToString();
            bool hasArguments = Current == '{' && _depth < DeepestArguments;
            if (hasArguments)
            {
                _at++;
                _depth++;
                name = $"{name}<{List()}>";
                _depth--;
                _at = Math.Min(_at + 1, _text.Length);
            }

            if (Current != '.')
            {
                return name;
            }

            _at++;
            outer = hasArguments ? name + "." : outer;
        }
    }
}
