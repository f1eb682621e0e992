using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Collects what is wrong while a description is read.</summary>
internal sealed class ProblemList
{
    private readonly List<Problem> _problems = [];

    public int Count => _problems.Count;

    public void Add(string id, Origin origin, params string[] arguments) =>
        _problems.Add(new Problem(id, origin, new EquatableArray<string>(arguments)));

    public EquatableArray<Problem> ToArray() => new(_problems);
}
