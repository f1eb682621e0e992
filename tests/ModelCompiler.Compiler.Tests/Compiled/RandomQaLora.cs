using ModelCompiler.Compiler.Description;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Random descriptions whose projections carry QA-LoRA, each width of inputs with a random divisor as the size of its groups.</summary>
public static class RandomQaLora
{
    private static readonly Targets[] s_groups = [Targets.Query | Targets.Key | Targets.Value, Targets.Output, Targets.Up | Targets.Gate, Targets.Down, Targets.Head];

    /// <summary>The first descriptions of a seed; the same for ever.</summary>
    public static ModelSpec[] Take(int count, ulong seed)
    {
        var random = new Random((int)seed);
        return [.. RandomDescriptions.Take(count, seed).Select(spec => spec with { Recipe = new RecipeSpec("Base", default, new EquatableArray<AdapterSpec>(Adapters(spec, random)), default) })];
    }

    private static List<AdapterSpec> Adapters(ModelSpec spec, Random random)
    {
        ILookup<Targets, ProjectionSize> groups = ProjectionSize.Of(spec).ToLookup(size => s_groups.Single(group => (group & size.Projection) != Targets.None));
        var adapters = new List<AdapterSpec>();
        while (adapters.Count == 0)
        {
            foreach (IGrouping<Targets, ProjectionSize> group in groups.Where(_ => random.Next(3) > 0))
            {
                // Sublayers of one kind may differ in width: the groups divide all of them.
                int[] sizes = [.. Enumerable.Range(1, (int)group.Min(size => size.In)).Where(size => group.All(projection => projection.In % size == 0))];
                int size = sizes[random.Next(sizes.Length)];
                int rank = 1 + random.Next((int)group.Min(projection => Math.Min(projection.In / size, projection.Out)));
                double dropout = random.Next(3) == 0 ? 0.25 : 0;
                Targets targets = group.Aggregate(Targets.None, (all, projection) => all | projection.Projection);
                bool lowest = random.Next(3) == 0;
                adapters.Add(new AdapterSpec("QaLora", targets, targets == Targets.Head || lowest ? 0 : random.Next(spec.Block.Repeat), new EquatableArray<ArgumentSpec>(
                [
                    new ArgumentSpec("Rank", rank), new ArgumentSpec("Alpha", 3), new ArgumentSpec("Dropout", dropout), new ArgumentSpec("GroupSize", size),
                ]))
                {
                    Layers = targets != Targets.Head && lowest ? "0" : "",
                });
            }
        }

        return adapters;
    }
}
