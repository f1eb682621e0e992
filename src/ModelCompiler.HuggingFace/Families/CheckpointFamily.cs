using ModelCompiler.Planning;

namespace ModelCompiler.HuggingFace.Families;

/// <summary>
/// A model_type of Transformers: what its checkpoints call each parameter, what its config.json calls each size, and which descriptions compute what its class does.
/// A family is one file beside this one, which registers itself.
/// </summary>
public abstract class CheckpointFamily
{
    private static readonly List<CheckpointFamily> s_all = [];

    /// <summary>model_type of config.json.</summary>
    public abstract string ModelType { get; }

    /// <summary>Transformers' class with a head.</summary>
    public abstract string ModelClass { get; }

    /// <summary>Whether a description that it fits is saved as it; of several families that compute the same, one is.</summary>
    public virtual bool IsPreferred => true;

    /// <summary>Its modules.</summary>
    public abstract IReadOnlyList<CheckpointModule> Modules { get; }

    /// <summary>Keys of config.json that, where true, give further parameters.</summary>
    public virtual IReadOnlyList<ParameterOption> Options => [];

    /// <summary>What config.json must say of a description.</summary>
    public virtual IEnumerable<ConfigEntry> Keys(DescribedShape shape) => shape.Configuration;

    /// <summary>What absent keys mean, where that is not what the description says they mean.</summary>
    public virtual IReadOnlyDictionary<string, string> Defaults { get; } = new Dictionary<string, string>();

    /// <summary>Keys that its class does not read.</summary>
    public virtual IReadOnlyList<string> Unread => [];

    /// <summary>What a checkpoint of the class without a head leaves out before the names of its tensors; "": it has the same names.</summary>
    public virtual string Prefix => "";

    /// <summary>Whether the class computes what a description does, given that it has the same parameters.</summary>
    public abstract bool Computes(DescribedShape shape);

    /// <summary>Whether a tensor takes part in the forward pass; buffers (inverse frequencies, masks) and other heads do not.</summary>
    public virtual bool IsWeight(string tensor) =>
        (tensor.StartsWith("model.", StringComparison.Ordinal) || tensor.StartsWith("lm_head.", StringComparison.Ordinal))
        && (tensor.EndsWith(".weight", StringComparison.Ordinal) || tensor.EndsWith(".bias", StringComparison.Ordinal) || tensor.EndsWith(".layer_scale", StringComparison.Ordinal));

    /// <summary>Adds a family.</summary>
    public static void Register(CheckpointFamily family)
    {
        lock (s_all)
        {
            s_all.Add(family);
        }
    }

    /// <summary>The families that compute what a description does; the first is what it is saved as.</summary>
    internal static CheckpointFamily[] Of(ModelTables tables)
    {
        var shape = new DescribedShape(tables);
        lock (s_all)
        {
            return [.. s_all.Where(f => f.Fits(shape)).OrderByDescending(f => f.IsPreferred).ThenBy(f => f.ModelType, StringComparer.Ordinal)];
        }
    }

    /// <summary>Where the checkpoints of the family that a description is saved as have its parameters.</summary>
    public static TensorMap MapOf(ModelTables tables) => MapsOf(tables).First();

    /// <summary>The same of all families that compute what a description does, and at last of its own names.</summary>
    internal static IEnumerable<TensorMap> MapsOf(ModelTables tables) => Of(tables).Append(new OwnNames(tables.Architecture)).Select(family => new TensorMap(family, tables));

    /// <summary>The modules that a description has.</summary>
    internal virtual IEnumerable<CheckpointModule> ModulesOf(ModelTables tables) => Modules;

    private bool Fits(DescribedShape shape)
    {
        if (!shape.IsAttentionThenFeedForward || !Computes(shape))
        {
            return false;
        }

        HashSet<string> rest = [.. shape.Parameters];
        rest.Remove("Head.Weight");
        foreach (CheckpointModule module in Modules)
        {
            foreach (string part in module.Parts.Where(static part => part != "Head"))
            {
                if (!(rest.Remove(part + ".Weight") || rest.Remove(part)) || (module.Bias && !rest.Remove(part + ".Bias")))
                {
                    return false;
                }
            }
        }

        foreach (ParameterOption option in Options.Where(o => o.Holds(shape)))
        {
            rest.ExceptWith(option.Parameters);
        }

        return rest.Count == 0;
    }
}

/// <summary>A key of config.json that, where true, gives every layer further parameters.</summary>
/// <param name="Key">The key.</param>
/// <param name="Parameters">They, as <see cref="ModelTables.KindPath"/> has them.</param>
public sealed record ParameterOption(string Key, params string[] Parameters)
{
    /// <summary>Whether a description has them all.</summary>
    public bool Holds(DescribedShape shape) => Parameters.All(shape.Has);
}
