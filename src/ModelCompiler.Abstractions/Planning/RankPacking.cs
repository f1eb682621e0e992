namespace ModelCompiler.Planning;

/// <summary>
/// The memory that adapters with moving ranks share, four regions of the same size and the same inner order: values, gradients and both moments.
/// Each holds the largest that the adapters can become while the sum of their ranks stays what it is.
/// </summary>
/// <param name="Values">Byte offset of the values in the arena.</param>
/// <param name="Gradients">Of the gradients.</param>
/// <param name="First">Of the first moments.</param>
/// <param name="Second">Of the second moments.</param>
/// <param name="Bytes">Size of each.</param>
public sealed record PackedRegions(long Values, long Gradients, long First, long Second, long Bytes);

/// <summary>Where the parameters of adapters with moving ranks lie within their region: one after the other, as large as they are now.</summary>
public static class RankPacking
{
    /// <summary>Byte offsets within the region; the last one is where it ends.</summary>
    /// <param name="parameters">The parameters with their layers, in the plan's order.</param>
    /// <param name="sizes">The sizes, with the ranks as they are now.</param>
    /// <param name="profile">The backend.</param>
    public static long[] Offsets(IReadOnlyList<(ParameterInfo Row, int Layer)> parameters, Sizes sizes, BackendProfile profile)
    {
        var offsets = new long[parameters.Count + 1];
        for (int i = 0; i < parameters.Count; i++)
        {
            (ParameterInfo row, int layer) = parameters[i];
            Sizes own = sizes.In(layer);
            offsets[i + 1] = offsets[i] + profile.Align(StorageLayout.BytesOf(profile.Compute, row.Rows.Evaluate(own), row.Columns.Evaluate(own)));
        }

        return offsets;
    }

    /// <summary>
    /// Bytes that no ranks with this sum can exceed: the costliest adapters have their maximum, all others 1, and every parameter ends in padding
    /// where its rows leave any.
    /// </summary>
    /// <param name="tables">The model.</param>
    /// <param name="parameters">The parameters with their layers.</param>
    /// <param name="sizes">The sizes, with the ranks as they are at the start.</param>
    /// <param name="profile">The backend.</param>
    public static long Capacity(ModelTables tables, IReadOnlyList<(ParameterInfo Row, int Layer)> parameters, Sizes sizes, BackendProfile profile)
    {
        Sizes one = sizes with { Ranks = sizes.Ranks.Select(static _ => 1).ToArray(), Pattern = null };
        long padding = 0;
        var adapters = new Dictionary<(int Slot, int Layer), (long Bytes, int Rank)>();
        foreach ((ParameterInfo row, int layer) in parameters)
        {
            long bytes = StorageLayout.BytesOf(profile.Compute, row.Rows.Evaluate(one), row.Columns.Evaluate(one));
            padding += profile.Align(bytes) == bytes ? 0 : profile.Alignment;
            (long before, _) = adapters.TryGetValue((row.Slot, layer), out (long, int) known) ? known : default;
            adapters[(row.Slot, layer)] = (before + bytes, sizes.In(layer).Ranks[row.Slot]);
        }

        long left = adapters.Values.Sum(static a => (long)a.Rank) - adapters.Count;
        long total = padding;
        foreach (((int slot, _), (long bytes, _)) in adapters.OrderByDescending(static a => a.Value.Bytes).Select(static a => (a.Key, a.Value)))
        {
            long more = Math.Min(left, tables.Slots[slot].MaximumRank - 1);
            left -= more;
            total += (1 + more) * bytes;
        }

        return profile.Align(total);
    }
}
