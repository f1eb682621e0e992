using ModelCompiler.Compiler.Passes;

namespace ModelCompiler.Compiler.Writing;

/// <summary>Generated methods of one direction: bodies that are the same text are written once.</summary>
internal sealed class MethodSet
{
    private readonly Dictionary<string, LayerMethod> _methodOf = [];
    private readonly List<LayerMethod> _methods = [];

    /// <summary>The methods, in the order they were first needed.</summary>
    public IReadOnlyList<LayerMethod> Methods => _methods;

    /// <summary>Name of the method with this body; a new one gets the name given.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="variant">A variant that runs it.</param>
    /// <param name="draft">The frame it runs on.</param>
    /// <param name="body">Its lines, and the calls that tell it from others.</param>
    /// <param name="how">What its summary says of a backward.</param>
    public string Add(string name, BlockVariant variant, FrameDraft draft, (string[] Lines, string Calls) body, string how = "")
    {
        if (!_methodOf.TryGetValue(body.Calls, out LayerMethod? method))
        {
            method = new LayerMethod(name, body.Lines, how);
            _methodOf.Add(body.Calls, method);
            _methods.Add(method);
        }

        method.Uses.Add((variant, draft));
        return method.Name;
    }
}

/// <summary>One method, and all that run it.</summary>
internal sealed record LayerMethod(string Name, string[] Lines, string How)
{
    /// <summary>The variants that run it, each with its frame.</summary>
    public List<(BlockVariant Variant, FrameDraft Draft)> Uses { get; } = [];

    /// <summary>"Layers 1..4" or "Layer 0".</summary>
    public string Layers
    {
        get
        {
            var runs = new List<(int First, int Last)>();
            foreach (BlockVariant v in Uses.Select(static u => u.Variant).Distinct().OrderBy(static v => v.FirstLayer))
            {
                bool follows = runs.Count > 0 && runs[runs.Count - 1].Last + 1 == v.FirstLayer;
                int first = follows ? runs[runs.Count - 1].First : v.FirstLayer;
                runs.RemoveRange(runs.Count - (follows ? 1 : 0), follows ? 1 : 0);
                runs.Add((first, v.LastLayer));
            }

            bool one = runs.Count == 1 && runs[0].First == runs[0].Last;
            return (one ? "Layer " : "Layers ") + string.Join(", ", runs.Select(static r => r.First == r.Last
                ? FormattableString.Invariant($"{r.First}")
                : FormattableString.Invariant($"{r.First}..{r.Last}")));
        }
    }
}
