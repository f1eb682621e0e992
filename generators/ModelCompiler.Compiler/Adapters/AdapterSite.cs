using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Validation;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>An adapter attribute where it stands: what a method checks.</summary>
/// <typeparam name="TOptions">The method's options.</typeparam>
/// <param name="Options">What the attribute says.</param>
/// <param name="First">What the first attribute of the method says in the recipe.</param>
/// <param name="Adapter">The attribute as it is written.</param>
/// <param name="Recipe">The recipe.</param>
/// <param name="Targets">The projections that carry it.</param>
internal sealed record AdapterSite<TOptions>(
    TOptions Options, TOptions First, AdapterSpec Adapter, RecipeSpec Recipe, IReadOnlyList<ProjectionSize> Targets)
    where TOptions : AdapterOptions
{
    /// <summary>Whether the attribute gives an argument.</summary>
    public bool Gives(string name) => Adapter.Arguments.Any(argument => argument.Name == name);

    /// <summary>Those of some arguments that differ from the first attribute's.</summary>
    public string[] Differing(params string[] names)
    {
        object[] values = Values(Options), first = Values(First);
        return [.. names.Where((_, i) => !values[i].Equals(first[i]))];

        object[] Values(TOptions options) => [.. names.Select(name => options.Arguments.First(argument => argument.Name == name).Value)];
    }

    /// <summary>Targets and what is to be said of each, "Query (64 inputs), Down (172 inputs)"; "" where there are none.</summary>
    public string Names(Func<ProjectionSize, bool> which, Func<ProjectionSize, string> what) =>
        string.Join(", ", Targets.Where(which).Select(target => $"{target.Projection} ({what(target)})"));

    /// <summary>A number as a message has it.</summary>
    public static string Text(IConvertible number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Something wrong with an adapter attribute.</summary>
/// <param name="Id">MC0201 and so on.</param>
/// <param name="Argument">The argument at fault; "" for the whole attribute.</param>
/// <param name="Texts">The values for the descriptor's message.</param>
internal sealed record AdapterProblem(string Id, string Argument, params string[] Texts);
