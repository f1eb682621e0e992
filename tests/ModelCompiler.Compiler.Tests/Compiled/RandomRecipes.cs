using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Compiler.Description;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random recipes with LoRA adapters on what an architecture has.</summary>
internal static class RandomRecipes
{
    /// <summary>A recipe for an architecture.</summary>
    public static Gen<RecipeSpec> Recipe(ModelSpec architecture) =>
        from targets in Gen.Choose(1, (int)Targets.All)
        from head in Gen.Elements(false, true)
        from attention in Adapter(architecture, Targets.Attention)
        from feedForward in Adapter(architecture, Targets.FeedForward)
        from ofHead in Adapter(architecture, Targets.Head)
        select new RecipeSpec("Base", default, new EquatableArray<AdapterSpec>(Adapters(architecture, (Targets)targets, head, [attention, feedForward, ofHead])), default);

    /// <summary>An adapter for some projections; its rank is fitted to those that it is given in the end.</summary>
    private static Gen<AdapterSpec> Adapter(ModelSpec architecture, Targets targets) =>
        from rank in Gen.Choose(1, 6)
        from first in Gen.Choose(0, architecture.Block.Repeat - 1)
        from dropout in Gen.Elements(0, 0.25)
        from stabilized in Gen.Elements(0, 1)
        from layers in RandomDescriptions.Layers(architecture.Block.Repeat)
        select new AdapterSpec("Lora", targets, targets == Targets.Head || layers.Length > 0 ? 0 : first, new EquatableArray<ArgumentSpec>(
        [
            new ArgumentSpec("Rank", rank),
            new ArgumentSpec("Alpha", 3),
            new ArgumentSpec("Dropout", dropout),
            new ArgumentSpec("RankStabilized", stabilized),
        ]))
        {
            Layers = targets == Targets.Head ? "" : layers,
        };

    private static IEnumerable<AdapterSpec> Adapters(ModelSpec architecture, Targets targets, bool head, AdapterSpec[] drawn)
    {
        IReadOnlyList<ProjectionSize> sizes = ProjectionSize.Of(architecture);
        Targets existing = sizes.Where(size => size.Projection != Targets.Head).Aggregate(Targets.None, (all, size) => all | size.Projection);
        targets = (targets & existing) is var some && some != Targets.None ? some : existing;
        if (head)
        {
            targets |= Targets.Head;
        }

        foreach (AdapterSpec adapter in drawn.Where(a => (a.Targets & targets) != Targets.None))
        {
            Targets own = adapter.Targets & targets;
            double largest = sizes.Where(size => (size.Projection & own) != Targets.None).Min(size => Math.Min(size.In, size.Out));
            yield return adapter with
            {
                Targets = own,
                Arguments = new EquatableArray<ArgumentSpec>(adapter.Arguments.Select(a => a.Name == "Rank" ? a with { Value = Math.Min(a.Value, largest) } : a)),
            };
        }
    }
}
