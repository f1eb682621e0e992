namespace ModelCompiler.Tensors;

/// <summary>Keeps garbage small while the arena is there: the collector alone would let tens of megabytes gather, beside what the plan says.</summary>
internal static class Garbage
{
    private const long Most = 1L << 20;
    private static long s_collected;

    /// <summary>Collects where more than 1 MiB, and a sixteenth of what is in use, were allocated since the last time. For loops that read or write tensors.</summary>
    public static void Limit()
    {
        long allocated = GC.GetTotalAllocatedBytes() - Volatile.Read(ref s_collected);
        if (allocated > Most && allocated > GC.GetTotalMemory(forceFullCollection: false) / 16)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Volatile.Write(ref s_collected, GC.GetTotalAllocatedBytes());
        }
    }
}
