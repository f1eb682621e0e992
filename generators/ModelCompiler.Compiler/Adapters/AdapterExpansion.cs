using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// An adapter method at build time: its parameters, and how it changes one projection. Backward, saved values and memory follow
/// from the operations it adds. A new method is one more file like this one's siblings.
/// </summary>
public abstract class AdapterExpansion
{
    /// <summary>All methods.</summary>
    public static readonly AdapterExpansion[] All =
    [
        new Lora(),
        new DyLora(),
        new QaLora(),
        new Lamda(),
        new LamdaPlusPlus(),
        new Dora(),
        new AdaLora(),
        new L1ra(),
    ];

    /// <summary>Name of the attribute without its suffix.</summary>
    public abstract string Attribute { get; }

    /// <summary>Name in prose, tables and JSON.</summary>
    public abstract string Method { get; }

    /// <summary>The runtime class of a slot's adapter.</summary>
    public abstract string RuntimeType { get; }

    /// <summary>The method an attribute names; null where there is none.</summary>
    public static AdapterExpansion? Find(string attribute) => All.FirstOrDefault(e => e.Attribute == attribute);

    /// <summary>What is wrong with the attribute's arguments, beyond rank, alpha and dropout, which are checked for every method.</summary>
    internal virtual IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets) => [];

    /// <summary>What a recipe without problems should still be told of the attribute's arguments: warnings.</summary>
    internal virtual IEnumerable<AdapterProblem> Warn(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets) => [];

    /// <summary>The slot's row: rank, scale and so on, from the attribute's arguments.</summary>
    public virtual Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection)
    {
        int rank = (int)adapter.Argument("Rank", 8);
        float alpha = (float)adapter.Argument("Alpha", 0);
        return new Planning.AdapterSlot(
            projection.Path,
            Method,
            rank,
            Math.Min(projection.In, projection.Out),
            alpha == 0 ? rank : alpha,
            adapter.Argument("RankStabilized", 0) != 0,
            (float)adapter.Argument("Dropout", 0),
            projection.PerLayer ? adapter.FirstLayer : 0);
    }

    /// <summary>The adapter's parameters.</summary>
    public abstract ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection);

    /// <summary>Adds the adapter to y = projection(x); returns the value that takes y's place.</summary>
    public abstract Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters);
}

/// <summary>Something wrong with an adapter attribute.</summary>
/// <param name="Id">MC0201 and so on.</param>
/// <param name="Argument">The argument at fault; "" for the whole attribute.</param>
/// <param name="Texts">The values for the descriptor's message.</param>
internal sealed record AdapterProblem(string Id, string Argument, params string[] Texts);
