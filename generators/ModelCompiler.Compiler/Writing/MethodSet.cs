namespace ModelCompiler.Compiler.Writing;

/// <summary>Generated methods of one direction: bodies that are the same text are written once.</summary>
internal sealed class MethodSet
{
    private readonly Dictionary<string, string> _nameOf = [];
    private readonly List<(string Name, string Summary, string[] Lines)> _methods = [];

    /// <summary>The methods, in the order they were first needed.</summary>
    public IReadOnlyList<(string Name, string Summary, string[] Lines)> Methods => _methods;

    /// <summary>Name of the method with this body; a new one gets the name given.</summary>
    public string Add(string name, string summary, (string[] Lines, string Calls) body)
    {
        if (_nameOf.TryGetValue(body.Calls, out string? existing))
        {
            return existing;
        }

        _nameOf.Add(body.Calls, name);
        _methods.Add((name, summary, body.Lines));
        return name;
    }
}
