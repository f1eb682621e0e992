namespace ModelCompiler.Planning;

/// <summary>
/// What a process that trains on the CPU holds beside the arena and the data, measured as its peak over the gallery (ResidentTests): the files of the
/// runtime and of libraries, compiled code and what the compiler keeps of it, the managed heap.
/// </summary>
internal static class ProcessOverhead
{
    /// <summary>Of full training.</summary>
    public const long Runtime = 60L << 20;

    /// <summary>More with adapters: the code that writes PEFT's format.</summary>
    private const long Adapters = 1L << 20;

    /// <summary>More with a start from the weights or from normal numbers: their code.</summary>
    private const long Starts = 2L << 20;

    /// <summary>More with a method that does more than multiply by its matrices: schedules, decompositions, norms.</summary>
    private const long Methods = 2L << 20;

    /// <summary>The form that adapters are written in, up to this: what more there is of it in large models is small beside their arena.</summary>
    private const long MostWritten = 4L << 20;

    /// <summary>What a model's adapters take beside <see cref="Runtime"/>: code, and the form they are written in, which other methods make from a copy.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="values">Bytes of the adapters.</param>
    public static long OfAdapters(ModelTables tables, long values)
    {
        long written = Math.Min(values, MostWritten);
        return tables.Slots.Length == 0 ? 0
            : tables.Slots.Any(static s => s.Options.NeedsMoreThanProducts) ? Adapters + Methods + 2 * written
            : tables.Slots.Any(static s => s.Options.NeedsMoreToStart) ? Adapters + Starts + written
            : Adapters + written;
    }
}
