namespace ModelCompiler.Planning;

/// <summary>
/// The workspace of a device whose products take operands of one type: where a weight of another is decoded or converted before each product,
/// and, at other times, where the gradient of attention keeps a number for each token and head.
/// </summary>
internal static class OperandScratch
{
    /// <summary>Bytes of a plan; 0 on a backend that takes operands as they are.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="options">The plan, for how parameters are stored and whether ranks move.</param>
    /// <param name="sizes">The plan's sizes.</param>
    /// <param name="profile">The backend.</param>
    public static long Bytes(ModelTables tables, TrainingPlan options, Sizes sizes, BackendProfile profile)
    {
        if (!profile.ConvertsOperands)
        {
            return 0;
        }

        // One product has at most a weight, an adapter's matrix as the other operand, and a bias.
        (long weight, long adapter, long vector) = (0, 0, 0);
        bool tied = tables.Parameters.All(static p => p.Path != HeadPath);
        foreach (ParameterInfo row in tables.Parameters)
        {
            if (options.FormatOf(row).TypeOn(profile) == profile.Activation || (row.Path == EmbeddingPath && !tied))
            {
                continue;
            }

            long bytes = tables.LayersOf(row).Select(layer => Converted(row, Room(tables, options, row, sizes.In(layer)), profile)).Max();
            (weight, adapter, vector) = row.Vector ? (weight, adapter, Math.Max(vector, bytes))
                : (Math.Max(weight, bytes), row.Slot >= 0 ? Math.Max(adapter, bytes) : adapter, vector);
        }

        return Math.Max(weight + adapter + vector, Math.Max(AttentionGradient(tables, sizes, profile), LogSumExp(sizes, profile)));
    }

    private const string EmbeddingPath = "TokenEmbedding";
    private const string HeadPath = "Head.Weight";

    /// <summary>The sizes of a parameter whose rank may move, at the most that it may come to.</summary>
    private static Sizes Room(ModelTables tables, TrainingPlan options, ParameterInfo row, Sizes own) => options.Moves(tables, row)
        ? own with { Ranks = own.Ranks.Select((rank, slot) => slot == row.Slot ? tables.Slots[slot].MaximumRank : rank).ToArray() }
        : own;

    private static long Converted(ParameterInfo row, Sizes own, BackendProfile profile) =>
        profile.Align((long)row.Rows.Evaluate(own) * row.Columns.Evaluate(own) * profile.Activation.Size());

    /// <summary>Σ dO · o of each token and head: as much as the widest statistic of a token.</summary>
    private static long AttentionGradient(ModelTables tables, Sizes sizes, BackendProfile profile) => tables.Variants
        .SelectMany(static v => v.None.Buffers).Where(static r => r.Statistic)
        .Select(r => profile.Align(StorageLayout.BytesOf(profile.Compute, r.Rows.Evaluate(sizes), r.Columns.Evaluate(sizes)))).DefaultIfEmpty().Max();

    /// <summary>A number of each row of the loss, where nobody asks for it.</summary>
    private static long LogSumExp(Sizes sizes, BackendProfile profile) => profile.Align(StorageLayout.BytesOf(profile.Compute, sizes.Rows, 1));
}
