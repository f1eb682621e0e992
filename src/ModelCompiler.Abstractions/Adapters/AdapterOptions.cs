using System.Diagnostics.CodeAnalysis;

namespace ModelCompiler.Adapters;

/// <summary>
/// What a recipe says of an adapter method: one record per method, which holds the default of each argument. The method's attribute has
/// the same arguments with the same defaults, the compiler reads the attribute into the record and checks it, and the runtime trains by it.
/// </summary>
[DynamicallyAccessedMembers(
    DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)]
public abstract record AdapterOptions
{
    private const string Suffix = "Options";

    /// <summary>Name of the method in prose, tables and JSON: "LoRA".</summary>
    public abstract string Method { get; }

    /// <summary>Name of the method's attribute without its suffix: "Lora".</summary>
    public string Attribute => NameOf(GetType());

    /// <summary>Rank r of the adapters.</summary>
    public int Rank { get; init; } = 8;

    /// <summary>Numerator of the scale s; 0: equal to the rank, so s = 1.</summary>
    public float Alpha { get; init; }

    /// <summary>Probability, from 0 to below 1, with which an element of the adapter's input is dropped in training.</summary>
    public float Dropout { get; init; }

    /// <summary>Whether the adapter works at every rank up to the declared one.</summary>
    public virtual bool NestedRanks => false;

    /// <summary>Whether the method itself chooses ranks, adapter by adapter; what it chose is read from its files.</summary>
    public virtual bool AdaptiveRanks => false;

    /// <summary>Whether ranks move between adapters while training goes on, with the same sum at most.</summary>
    public virtual bool MovingRanks => false;

    /// <summary>Whether the scale divides by the square root of the rank (rsLoRA, Kalajdzievski 2023).</summary>
    public virtual bool DividesByRoot => false;

    /// <summary>Whether the start needs more code than uniform numbers and zeros do: normal numbers, decompositions of weights.</summary>
    public virtual bool NeedsMoreToStart => false;

    /// <summary>Whether training needs more code than products with matrices do: schedules, decompositions, norms.</summary>
    public virtual bool NeedsMoreThanProducts => true;

    /// <summary>The argument that gives the rank of a plan.</summary>
    public virtual string RankArgument => nameof(Rank);

    /// <summary>All arguments: those of every method, then the method's own.</summary>
    public IReadOnlyList<AdapterArgument> Arguments => ArgumentsOf(this);

    /// <summary>The arguments that differ from their defaults.</summary>
    public IReadOnlyList<AdapterArgument> Changed
    {
        get
        {
            IReadOnlyList<AdapterArgument> defaults = ArgumentsOf((AdapterOptions)Activator.CreateInstance(GetType())!);
            return Arguments.Where((argument, i) => !argument.Value.Equals(defaults[i].Value)).ToArray();
        }
    }

    /// <summary>The rank that adapters start with, where a projection allows no more than a maximum.</summary>
    public virtual int FirstRank(int maximum) => Rank;

    /// <summary>The largest rank of an adapter, where a projection allows no more than a maximum.</summary>
    public virtual int LargestRank(int maximum) => maximum;

    /// <summary>The options of adapters that start with another rank and may not grow beyond a maximum.</summary>
    public virtual AdapterOptions WithRank(int rank, int maximum) => this with { Rank = rank };

    /// <summary>
    /// The text that names the random stream of a parameter's start values. It never changes, so that a seed gives
    /// the same numbers in every version.
    /// </summary>
    /// <param name="parameter">The parameter's name in the adapter: "A".</param>
    public virtual string StreamOf(string parameter) => $"lora_{parameter}.weight";

    /// <summary>Name of the attribute, without its suffix, that a type of options belongs to.</summary>
    public static string NameOf(Type options)
    {
        string name = options.Name;
        return name.EndsWith(Suffix, StringComparison.Ordinal) ? name.Substring(0, name.Length - Suffix.Length) : name;
    }

    private static AdapterArgument[] ArgumentsOf(AdapterOptions options) => options.GetType().GetProperties()
        .Where(static property => property.CanWrite)
        .OrderBy(static property => property.DeclaringType == typeof(AdapterOptions) ? 0 : 1)
        .Select(property => new AdapterArgument(property.Name, property.GetValue(options)!))
        .ToArray();
}
