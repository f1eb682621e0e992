using System.Globalization;

namespace ModelCompiler.CommandLine.Quickstart.Documentation;

/// <summary>
/// Reads the IDs that C# documentation files give members ("M:System.String.Substring(System.Int32,System.Int32)") and writes them as
/// a person would: "method String.Substring(Int32, Int32)". Text that is no such ID passes through as far as it goes.
/// </summary>
internal static class MemberId
{
    private const char Type = 'T';
    private const char Namespace = 'N';

    /// <summary>A larger number is no arity: names would be longer than the file.</summary>
    private const int LargestArity = 99;

    /// <summary>Kind, declaring type, name, parameters and result, with simple names of types.</summary>
    public static string Signature(string id)
    {
        (string[] names, string? parameters, string? result) = Parts(id);
        char kind = id[0];
        if (kind is Type or Namespace)
        {
            return kind == Type ? $"type {Generic(names[^1], 'T')}" : $"namespace {id[2..]}";
        }

        string owner = names.Length > 1 ? Generic(names[^2], 'T') : "";
        string member = MemberName(names[^1]);
        int typeArity = names[..^1].Sum(Arity);
        int methodArity = Arity(names[^1]);
        string Types(string list) => MemberIdTypes.Render(list, typeArity, methodArity);

        (string word, string name) = (kind, member) switch
        {
            ('M', "#ctor" or "#cctor") => ("constructor", owner),
            ('M', _) when member.StartsWith("op_", StringComparison.Ordinal) => ("operator", $"{owner}.{member[3..]}"),
            ('M', _) => ("method", $"{owner}.{member}"),
            ('P', _) => (parameters is null ? "property" : "indexer", $"{owner}.{member}"),
            ('E', _) => ("event", $"{owner}.{member}"),
            _ => ("field", $"{owner}.{member}"),
        };
        string list = parameters is not null ? $"({Types(parameters)})" : kind == 'M' ? "()" : "";
        return $"{word} {name}{list}{(result is null ? "" : $" returns {Types(result)}")}";
    }

    /// <summary>The last name in an ID, without arity: what a reference to it reads as. A namespace is whole.</summary>
    public static string SimpleName(string id)
    {
        if (id.Length < 2 || id[1] != ':')
        {
            id = "!:" + id;
        }

        if (id[0] == Namespace)
        {
            return id[2..];
        }

        string[] names = Parts(id).Names;
        string last = MemberName(names[^1]);
        return WithoutArity(last is "#ctor" or "#cctor" && names.Length > 1 ? names[^2] : WithoutArguments(last));
    }

    /// <summary>Declaring type and name, without arity and parameters: what overloads have in common.</summary>
    public static string Group(string id) => string.Join('.', Parts(id).Names.Select(WithoutArity));

    /// <summary>Cuts at dots outside of braces.</summary>
    internal static string[] SplitPath(string path)
    {
        var names = new List<string>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i < path.Length; i++)
        {
            depth += path[i] == '{' ? 1 : path[i] == '}' ? -1 : 0;
            if (path[i] == '.' && depth == 0)
            {
                names.Add(path[start..i]);
                start = i + 1;
            }
        }

        names.Add(path[start..]);
        return [.. names];
    }

    private static (string[] Names, string? Parameters, string? Result) Parts(string id)
    {
        string rest = id[2..];
        int tilde = rest.IndexOf('~');
        string? result = tilde < 0 ? null : rest[(tilde + 1)..];
        rest = tilde < 0 ? rest : rest[..tilde];
        int open = rest.IndexOf('(');
        string? parameters = open < 0 ? null : rest[(open + 1)..].TrimEnd(')');
        return (SplitPath(open < 0 ? rest : rest[..open]), parameters, result);
    }

    private static int Arity(string name) =>
        name.LastIndexOf('`') is >= 0 and int tick
        && int.TryParse(name.AsSpan(tick + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int arity) && arity <= LargestArity ? arity : 0;

    private static string WithoutArity(string name) => name.IndexOf('`') is >= 0 and int tick ? name[..tick] : name;

    private static string WithoutArguments(string name) => name.IndexOf('<') is > 0 and int open ? name[..open] : name;

    /// <summary>Name`2 as Name&lt;T1, T2&gt;.</summary>
    private static string Generic(string name, char letter)
    {
        int arity = Arity(name);
        IEnumerable<string> parameters = Enumerable.Range(0, arity).Select(i => MemberIdTypes.Parameter(letter, i, arity));
        return arity == 0 ? name : $"{WithoutArity(name)}<{string.Join(", ", parameters)}>";
    }

    /// <summary>The name of an explicit implementation has its interface before it, written A#B#IName{C@D}#Member.</summary>
    private static string MemberName(string name)
    {
        if (name.IndexOf('#') <= 0)
        {
            return Generic(name, 'U');
        }

        string[] parts = SplitPath(name.Replace('#', '.').Replace('@', ','));
        return $"{MemberIdTypes.Render(string.Join('.', parts[..^1]), 1, 1)}.{Generic(parts[^1], 'U')}";
    }
}
