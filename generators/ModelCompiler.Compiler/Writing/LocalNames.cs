using ModelCompiler.Compiler.Description;

namespace ModelCompiler.Compiler.Writing;

/// <summary>The local variables of a layer's methods, each of its own name: one a sublayer and one a projection.</summary>
internal sealed class LocalNames
{
    private static readonly string[] s_projections =
        [.. new[] { Projections.Query, Projections.Key, Projections.Value, Projections.Output, Projections.Gate, Projections.Up, Projections.Down }.Select(static projection => projection.ToString())];

    private readonly Dictionary<string, string> _sublayers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken;

    public LocalNames(BlockSpec block)
    {
        _taken = new HashSet<string>(StringComparer.Ordinal) { "layer", "act", "decode", "ops", "policy", "l", "_" };
        _taken.UnionWith(s_projections.Select(CamelCase));
        foreach (SublayerSpec sublayer in block.Sublayers)
        {
            string name = CamelCase(sublayer.PropertyName);
            while (Names(name).Any(_taken.Contains))
            {
                name += "Sublayer";
            }

            _taken.UnionWith(Names(name));
            _sublayers.Add(sublayer.PropertyName, name);
        }
    }

    /// <summary>A sublayer's local.</summary>
    public string Of(string sublayer) => Identifier.EscapeLocal(_sublayers[sublayer]);

    /// <summary>The local of a projection that one sublayer alone has.</summary>
    public static string OfProjection(string projection) => CamelCase(projection);

    /// <summary>The local of a projection that several sublayers have.</summary>
    public string OfProjection(string sublayer, string projection) => _sublayers[sublayer] + projection;

    /// <summary>The local of a buffer, which no sublayer or projection has.</summary>
    public string OfBuffer(string buffer)
    {
        string name = CamelCase(buffer);
        while (_taken.Contains(name))
        {
            name += "Value";
        }

        return Identifier.EscapeLocal(name);
    }

    /// <summary>The field behind a sublayer's property.</summary>
    public string FieldOf(string sublayer)
    {
        string name = "_" + _sublayers[sublayer];
        while (_sublayers.ContainsKey(name))
        {
            name += "_";
        }

        return name;
    }

    private static IEnumerable<string> Names(string sublayer) => s_projections.Select(projection => sublayer + projection).Prepend(sublayer);

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name.Substring(1);
}
