using System.Globalization;
using System.Reflection;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;
using ParameterInfo = ModelCompiler.Planning.ParameterInfo;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// An adapter method at build time: its parameters, and how it changes one projection. Backward, saved values and memory follow
/// from the operations it adds. A new method is one more class that derives from <see cref="AdapterExpansion{TOptions}"/>.
/// </summary>
public abstract class AdapterExpansion
{
    /// <summary>All methods, by the names of their attributes: each class of this assembly that can be made.</summary>
    public static readonly AdapterExpansion[] All =
    [
        .. typeof(AdapterExpansion).Assembly.GetTypes()
            .Where(static type => !type.IsAbstract && typeof(AdapterExpansion).IsAssignableFrom(type))
            .Select(static type => (AdapterExpansion)Activator.CreateInstance(type))
            .OrderBy(static method => method.Attribute, StringComparer.Ordinal),
    ];

    // An editor asks for names and options at every keystroke: what reflection finds is kept.
    private readonly PropertyInfo[] _settable;

    private protected AdapterExpansion()
    {
        AdapterOptions defaults = Defaults;
        (Attribute, Method) = (defaults.Attribute, defaults.Method);
        _settable = [.. defaults.GetType().GetProperties().Where(static property => property.CanWrite)];
        RuntimeTypes =
        [
            (RuntimeType, typeof(AdapterOptions).Namespace),
            .. _settable.Select(static property => property.PropertyType).Where(static type => type.IsEnum).Append(defaults.GetType())
                .Select(static type => (type.Name, type.Namespace)),
        ];
    }

    /// <summary>The method's options with all their defaults; the constructor asks for them.</summary>
    public abstract AdapterOptions Defaults { get; }

    /// <summary>Name of the attribute without its suffix.</summary>
    public string Attribute { get; }

    /// <summary>Name in prose, tables and JSON.</summary>
    public string Method { get; }

    /// <summary>The runtime class of a slot's adapter.</summary>
    public virtual string RuntimeType => Attribute + "Adapter";

    /// <summary>The runtime's types that generated code names: the adapter's class, the options and their enums.</summary>
    public IReadOnlyList<(string Name, string Namespace)> RuntimeTypes { get; }

    /// <summary>The method an attribute names; null where there is none.</summary>
    public static AdapterExpansion? Find(string attribute) => All.FirstOrDefault(e => e.Attribute == attribute);

    /// <summary>The options that an attribute gives; arguments that it leaves out have their defaults.</summary>
    public AdapterOptions Read(AdapterSpec adapter)
    {
        AdapterOptions options = Defaults;
        foreach (PropertyInfo property in _settable)
        {
            if (adapter.Arguments.FirstOrDefault(argument => argument.Name == property.Name) is { } given)
            {
                property.SetValue(options, property.PropertyType.IsEnum
                    ? Enum.ToObject(property.PropertyType, (long)given.Value)
                    : Convert.ChangeType(given.Value, property.PropertyType, CultureInfo.InvariantCulture));
            }
        }

        return options;
    }

    /// <summary>What is wrong with the attribute's arguments, beyond rank, alpha and dropout, which are checked for every method.</summary>
    internal abstract IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets);

    /// <summary>What a recipe without problems should still be told of the attribute's arguments: warnings.</summary>
    internal abstract IEnumerable<AdapterProblem> Warn(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets);

    /// <summary>The slot as the planner knows it, in a model of so many layers.</summary>
    public abstract Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection, int layers);

    /// <summary>The adapter's parameters.</summary>
    public abstract ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection);

    /// <summary>Adds the adapter to y = projection(x); returns the value that takes y's place.</summary>
    public abstract Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters);

    /// <summary>A parameter of the adapter.</summary>
    protected static ParameterInfo Parameter(
        Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection, string name, Dim rows, Dim columns,
        bool trainable = true, ParameterKind kind = ParameterKind.Matrix) => new(
            $"{slot.Path}.Adapter.{name}", rows, columns, WeightFormat.Compute, projection.PerLayer, trainable, kind, slot.Index,
            row.Layers);

    /// <summary>A value's name: the projection's and what it is there. It is the same in all layers, whatever adapters they have.</summary>
    protected static string Name(Graph.AdapterSlot slot, string what) => slot.Name + what;

    /// <summary>x with elements dropped, where the adapter drops any.</summary>
    protected static Value Drop(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x) =>
        row.Dropout > 0 && g.Training ? g.Add(Name(slot, "Dropped"), new Dropout(slot), [x]) : x;

    /// <summary>y + s · B h.</summary>
    protected static Value AddTo(Rewrite g, Graph.AdapterSlot slot, Value y, Value h, Value b) =>
        g.Add(y.Name, new Linear(), [h, b], accumulator: y, scale: new ScalarRef(slot, ScalarKind.Scale));
}

/// <summary>An adapter method at build time, with its options.</summary>
/// <typeparam name="TOptions">The options.</typeparam>
public abstract class AdapterExpansion<TOptions> : AdapterExpansion
    where TOptions : AdapterOptions, new()
{
    /// <inheritdoc/>
    public override AdapterOptions Defaults => new TOptions();

    internal sealed override IEnumerable<AdapterProblem> Check(
        AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets) =>
        Check(SiteOf(adapter, recipe, targets));

    internal sealed override IEnumerable<AdapterProblem> Warn(
        AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets) =>
        Warn(SiteOf(adapter, recipe, targets));

    /// <inheritdoc/>
    public sealed override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection, int layers)
    {
        TOptions options = Complete((TOptions)Read(adapter), projection);
        return new Planning.AdapterSlot(
            projection.Path, options, options.LargestRank(LargestRank(options, projection)), projection.PerLayer ? adapter.LayersIn(layers) : null);
    }

    /// <inheritdoc cref="AdapterExpansion.Check"/>
    private protected virtual IEnumerable<AdapterProblem> Check(AdapterSite<TOptions> site) => [];

    /// <inheritdoc cref="AdapterExpansion.Warn"/>
    private protected virtual IEnumerable<AdapterProblem> Warn(AdapterSite<TOptions> site) => [];

    /// <summary>The options with what they leave to the projection.</summary>
    protected virtual TOptions Complete(TOptions options, ProjectionSite projection) => options;

    /// <summary>The largest rank that a projection can use.</summary>
    protected virtual int LargestRank(TOptions options, ProjectionSite projection) => Math.Min(projection.In, projection.Out);

    private AdapterSite<TOptions> SiteOf(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets) =>
        new((TOptions)Read(adapter), (TOptions)Read(recipe.Adapters.First(other => other.Method == Attribute)), adapter, recipe, targets);
}
