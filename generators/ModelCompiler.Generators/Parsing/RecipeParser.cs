using System.Globalization;
using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Writing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Reads a class with [FineTune]; the architecture's attributes come through the symbol of its type argument.</summary>
internal static class RecipeParser
{
    public static ModelSpec? Parse(INamedTypeSymbol type, AttributeData fineTune, ProblemList problems)
    {
        ClassRules.CheckTopLevel(type, problems);
        if (fineTune.AttributeClass?.TypeArguments.FirstOrDefault() is not { TypeKind: not TypeKind.Error } argument)
        {
            return null; // The C# compiler reports the type argument.
        }

        if (argument is not INamedTypeSymbol architecture || !architecture.Has("Transformer"))
        {
            problems.Add(ProblemIds.NotATransformer, new Origin("", "FineTune"), type.Name, argument.ToDisplayString(SymbolDisplayFormat.MinimallyQualifiedFormat));
            return null;
        }

        // The architecture's own class reports what is wrong with it; only one that was built elsewhere cannot.
        ModelSpec? spec = ArchitectureParser.Parse(architecture, new ProblemList());
        if (spec is null && !architecture.IsFromSource())
        {
            problems.Add(ProblemIds.ArchitectureUnreadable, new Origin("", "FineTune"), architecture.Name, architecture.ContainingAssembly.Name);
        }

        return spec is null ? null : spec with { Type = ArchitectureParser.TypeOf(type), Recipe = ParseRecipe(type, spec) };
    }

    private static RecipeSpec ParseRecipe(INamedTypeSymbol type, ModelSpec architecture)
    {
        return new RecipeSpec(
            architecture.Type.Name,
            new EquatableArray<FrozenSpec>(type.GetAttributes().Where(static attribute => ModelAttributes.NameOf(attribute) == "Frozen").Select(ParseFrozen)),
            new EquatableArray<AdapterSpec>(type.GetAttributes().Where(ModelAttributes.IsAdapter).Select(ParseAdapter)),
            new EquatableArray<BudgetSpec>(type.GetAttributes().Where(static attribute => ModelAttributes.NameOf(attribute) == "MemoryBudget").Select(attribute => ParseBudget(attribute, architecture.Context))))
        {
            SharedTables = $"{Identifier.FullName(architecture.Type)}.Tables",
        };
    }

    private static FrozenSpec ParseFrozen(AttributeData attribute)
    {
        var arguments = new AttributeArguments(attribute);
        return new FrozenSpec(
            (Storage)(arguments.Positional as int? ?? 0),
            arguments.Get("BlockSize", 0),
            arguments.Get("DoubleQuantized", false),
            (Projections)arguments.Get("Targets", (int)Projections.All));
    }

    private static AdapterSpec ParseAdapter(AttributeData attribute)
    {
        var arguments = new AttributeArguments(attribute);
        return new AdapterSpec(
            ModelAttributes.WithoutSuffix(attribute.AttributeClass!.Name),
            (Projections)arguments.Get("Targets", (int)Projections.All),
            arguments.Get("FirstLayer", 0),
            new EquatableArray<ArgumentSpec>(attribute.NamedArguments
                .Where(static argument => argument.Key is not ("Targets" or "FirstLayer" or "Layers"))
                .Select(static argument => ParseArgument(argument.Key, argument.Value))
                .OfType<ArgumentSpec>()))
        {
            Layers = arguments.Text("Layers"),
        };
    }

    private static ArgumentSpec? ParseArgument(string name, TypedConstant constant) => constant.Kind is TypedConstantKind.Primitive or TypedConstantKind.Enum
        ? constant.Value switch
        {
            bool value => new ArgumentSpec(name, value ? 1 : 0),
            IConvertible value and not (string or char) => new ArgumentSpec(name, value.ToDouble(CultureInfo.InvariantCulture)),
            _ => null,
        }
        : null;

    private static BudgetSpec ParseBudget(AttributeData attribute, int context)
    {
        var arguments = new AttributeArguments(attribute);
        BudgetSpec otherwise = BudgetSpec.Default(context);
        int sequence = arguments.Get("Sequence", 0);
        int rank = arguments.Get("Rank", 0);
        int storage = arguments.Get("Storage", -1);
        return new BudgetSpec(
            arguments.Positional as string ?? "",
            (Device)arguments.Get("Device", (int)otherwise.Device),
            arguments.Get("Threads", otherwise.Threads),
            otherwise.Plan with
            {
                Batch = arguments.Get("Batch", otherwise.Plan.Batch),
                Sequence = sequence == 0 ? context : sequence,
                Checkpointing = (Checkpointing)arguments.Get("Checkpointing", (int)otherwise.Plan.Checkpointing),
                CheckpointEvery = arguments.Get("CheckpointEvery", otherwise.Plan.CheckpointEvery),
                SavedActivations = (Storage)arguments.Get("SavedActivations", (int)otherwise.Plan.SavedActivations),
                Optimizer = (Optimizer)arguments.Get("Optimizer", (int)otherwise.Plan.Optimizer),
                Rank = rank == 0 ? null : rank,
                Storage = storage == -1 ? null : WeightFormat.Of((Storage)storage),
            });
    }
}
