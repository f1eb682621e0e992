using ModelCompiler.Adapters;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>Where a family's checkpoints have each parameter of a description.</summary>
public sealed class TensorMap
{
    private readonly ModelTables _tables;
    private readonly Dictionary<string, TensorMapping> _mappings = [];
    private readonly Dictionary<string, CheckpointModule> _modules = [];

    internal TensorMap(CheckpointFamily family, ModelTables tables)
    {
        (Family, _tables) = (family, tables);
        Dictionary<string, ParameterInfo> rows = tables.Parameters.Where(p => p.Slot < 0).ToDictionary(p => tables.KindPath(p.Path));
        foreach (CheckpointModule module in family.ModulesOf(tables))
        {
            foreach (string part in module.Parts)
            {
                _modules.Add(part, module);
            }

            Add(module, rows, static part => part, module.Bare ? "" : ".weight");
            Add(module, rows, static part => part + ".Weight", ".weight");
            Add(module, rows, static part => part + ".Bias", ".bias");
        }
    }

    /// <summary>The family.</summary>
    public CheckpointFamily Family { get; }

    /// <summary>Name of the token embedding's tensor.</summary>
    internal string Embedding => Of(_tables.Parameters.First(static p => p.Path == "TokenEmbedding"), -1).Tensor;

    /// <summary>Name of the head's tensor, which a description that ties it to the embedding does not have.</summary>
    internal string Head => _modules["Head"].Name + ".weight";

    /// <summary>Where a parameter is.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="layer">Its layer; -1: outside the layers.</param>
    public TensorMapping Of(ParameterInfo row, int layer) => _mappings.TryGetValue(row.Path, out TensorMapping? mapping)
        ? mapping.In(layer)
        : throw new ArgumentException($"{Family.ModelType} has no tensor for '{row.PathIn(layer)}' of {_tables.Architecture}", nameof(row));

    /// <summary>Where a parameter of the base is.</summary>
    public TensorMapping Of(Parameter parameter) => Of(parameter.Info, parameter.Layer);

    /// <summary>The module that an adapter's projection is in, by its name in the checkpoint.</summary>
    public string ModuleOf(AdapterSlot slot, int layer) => TensorMapping.Name(_modules[_tables.KindPath(slot.Path)].Name, layer);

    /// <summary>The module that an adapter's projection is in, by its name in the checkpoint.</summary>
    public string ModuleOf(AdapterState adapter) => ModuleOf(adapter.Slot, adapter.Layer);

    /// <summary>The module that a projection is in.</summary>
    /// <param name="path">The projection's path in the model: "Layers[3].Attention.Query".</param>
    internal string ModuleOf(string path) => Projections().First(p => p.Path == path).Module;

    /// <summary>Whether a weight is stored as [inputs, outputs].</summary>
    internal bool IsTransposed => _mappings.Values.Any(static m => m.Transposed);

    /// <summary>What the module of an adapter's projection holds, and which rows each is: one, or several that are fused.</summary>
    internal (string Path, TensorMapping Rows)[] PartsOf(AdapterSlot slot)
    {
        CheckpointModule module = _modules[_tables.KindPath(slot.Path)];
        return [.. ProjectionRows().Select(row => (Path: _tables.KindPath(PathOf(row)), _mappings[row.Path])).Where(p => module.Parts.Contains(p.Path))];
    }

    /// <summary>The projections of all layers: module, path in the model and the rows of the module that it is.</summary>
    internal IEnumerable<(string Module, string Path, TensorMapping Rows)> Projections()
    {
        foreach (ParameterInfo row in ProjectionRows())
        {
            string path = PathOf(row);
            foreach (int layer in _tables.LayersOf(row))
            {
                string module = TensorMapping.Name(_modules[_tables.KindPath(path)].Name, layer);
                yield return (module, ModelTables.PathIn(path, layer), _mappings[row.Path]);
            }
        }
    }

    /// <summary>The tensors of all layers.</summary>
    internal IEnumerable<string> Tensors() => _tables.Parameters.Where(static p => p.Slot < 0).SelectMany(row => _tables.LayersOf(row).Select(layer => Of(row, layer).Tensor)).Distinct();

    /// <summary>The weights of all projections; of a tied head that is the token embedding.</summary>
    private IEnumerable<ParameterInfo> ProjectionRows()
    {
        bool tied = _tables.Parameters.All(static p => p.Path != "Head.Weight");
        return _tables.Parameters.Where(p => p is { Slot: < 0, Kind: ParameterKind.Matrix } && (p.Path.EndsWith(".Weight", StringComparison.Ordinal) || (tied && p.Path == "TokenEmbedding")));
    }

    private static string PathOf(ParameterInfo row) => row.Path == "TokenEmbedding" ? "Head" : row.Path[..^".Weight".Length];

    private void Add(CheckpointModule module, Dictionary<string, ParameterInfo> rows, Func<string, string> pathOf, string suffix)
    {
        ParameterInfo[] parts = [.. module.Parts.Select(part => rows.GetValueOrDefault(pathOf(part))).OfType<ParameterInfo>()];
        int total = parts.Sum(Outputs);
        int first = 0;
        foreach (ParameterInfo row in parts)
        {
            bool weight = row.Kind != ParameterKind.Bias;
            _mappings.Add(row.Path, new TensorMapping(
                module.Name + suffix, first, Outputs(row), total, row.Vector ? 0 : row.Columns.Factor, module.Transposed && !row.Vector, weight ? module.Offset : 0));
            first += Outputs(row);
        }
    }

    private static int Outputs(ParameterInfo row) => row.Vector ? row.Columns.Factor : row.Rows.Factor;
}
