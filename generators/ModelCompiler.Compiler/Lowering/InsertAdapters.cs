using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Lowering;

/// <summary>An adapter on a projection, with its parameters.</summary>
public sealed record AdaptedProjection(ProjectionSite Projection, AdapterExpansion Expansion, Graph.AdapterSlot Slot, Planning.AdapterSlot Row, Value[] Parameters);

/// <summary>Adds each adapter's operations behind the projection it targets.</summary>
public static class InsertAdapters
{
    /// <summary>The adapters of a recipe on the projections they target.</summary>
    public static AdaptedProjection[] Slots(ModelSpec spec, Network network)
    {
        var slots = new List<AdaptedProjection>();
        foreach (ProjectionSite projection in network.Projections)
        {
            foreach (AdapterSpec adapter in spec.Recipe?.Adapters ?? default)
            {
                if ((adapter.Targets & projection.Flag) == 0)
                {
                    continue;
                }

                AdapterExpansion expansion = AdapterExpansion.Find(adapter.Method)
                    ?? throw new InvalidOperationException($"unknown adapter method {adapter.Method}");
                var slot = new Graph.AdapterSlot(slots.Count, projection.Path, NameOf(projection, network));
                Planning.AdapterSlot row = expansion.Describe(adapter, projection, spec.Block.Repeat);
                Value[] parameters = expansion.Parameters(slot, row, projection)
                    .Select(p => new Value(p.Path, new Shape(p.Rows, p.Columns), ValueKind.Parameter, p)).ToArray();
                slots.Add(new AdaptedProjection(projection, expansion, slot, row, parameters));
            }
        }

        return slots.ToArray();
    }

    private static string NameOf(ProjectionSite projection, Network network)
    {
        int before = network.Projections.TakeWhile(other => other.Path != projection.Path).Count(other => other.Flag == projection.Flag);
        return projection.Flag + (before == 0 ? "" : FormattableString.Invariant($"{before + 1}"));
    }

    /// <summary>Expands the adapters that are active in this variant of a region.</summary>
    public static Region Run(Region region, IReadOnlyCollection<AdaptedProjection> active, bool training)
    {
        if (active.Count == 0)
        {
            return region;
        }

        var g = new Rewrite(training);
        foreach (Op op in region.Ops)
        {
            Op kept = g.Keep(op);
            AdaptedProjection? adapted = op.Operation is Linear ? active.FirstOrDefault(a => IsWeightOf(op, a.Projection)) : null;
            if (adapted is not null)
            {
                Value y = adapted.Expansion.Expand(g, adapted.Slot, adapted.Row, kept.Inputs[0], kept.Output, adapted.Parameters);
                g.Replace(kept.Output, y);
            }
        }

        return g.Build(region);
    }

    private static bool IsWeightOf(Op op, ProjectionSite projection)
    {
        string path = op.Inputs[1].Name;
        return path == projection.Path + ".Weight" || (projection.Flag == Projections.Head && path == "TokenEmbedding");
    }
}
