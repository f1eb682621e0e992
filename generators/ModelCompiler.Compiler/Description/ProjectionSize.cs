namespace ModelCompiler.Compiler.Description;

/// <summary>A linear projection that can carry an adapter.</summary>
/// <param name="Projection">Which it is.</param>
/// <param name="In">Width of its input.</param>
/// <param name="Out">Width of its output.</param>
/// <param name="Tied">Whether its weight is the token embedding's too.</param>
internal readonly record struct ProjectionSize(Projections Projection, long In, long Out, bool Tied = false)
{
    /// <summary>The linear projections of an architecture: those of one layer, then the head.</summary>
    public static IReadOnlyList<ProjectionSize> Of(ModelSpec spec) =>
        [.. spec.Block.Sublayers.SelectMany(sublayer => Of(sublayer, spec.Width)), new ProjectionSize(Projections.Head, spec.Width, spec.Vocabulary, spec.Embedding.Tied)];

    /// <summary>The linear projections of a sublayer, in the order of the parameters.</summary>
    /// <param name="sublayer">The sublayer.</param>
    /// <param name="width">Width of the residual stream.</param>
    public static IEnumerable<ProjectionSize> Of(SublayerSpec sublayer, int width)
    {
        if (sublayer.Attention is { } attention)
        {
            long queries = (long)attention.Shape.Heads * attention.Shape.HeadWidth;
            long keys = (long)attention.Shape.KeyValueHeads * attention.Shape.HeadWidth;
            yield return new ProjectionSize(Projections.Query, width, queries);
            yield return new ProjectionSize(Projections.Key, width, keys);
            yield return new ProjectionSize(Projections.Value, width, keys);
            yield return new ProjectionSize(Projections.Output, queries, width);
        }

        if (sublayer.FeedForward is { } feedForward)
        {
            if (feedForward.Kind != FeedForwardKind.Gelu)
            {
                yield return new ProjectionSize(Projections.Gate, width, feedForward.Hidden);
            }

            yield return new ProjectionSize(Projections.Up, width, feedForward.Hidden);
            yield return new ProjectionSize(Projections.Down, feedForward.Hidden, width);
        }
    }

    /// <summary>Names those whose inputs groups of a size do not divide: "Query (48 inputs), Down (172 inputs)".</summary>
    public static string Undivided(IEnumerable<ProjectionSize> sizes, int group) => string.Join(", ", sizes
        .Where(size => group > 0 && size.In % group != 0)
        .Select(static size => FormattableString.Invariant($"{size.Projection} ({size.In} inputs)")));

    /// <summary>The targets an attribute names that the architecture does not have. A whole group means what there is of it.</summary>
    public static Projections Missing(Projections targets, Projections existing)
    {
        foreach (Projections group in new[] { Projections.All, Projections.Attention, Projections.FeedForward })
        {
            if ((targets & group) == group && (existing & group) != 0)
            {
                targets &= ~group;
            }
        }

        return targets & ~existing;
    }
}
