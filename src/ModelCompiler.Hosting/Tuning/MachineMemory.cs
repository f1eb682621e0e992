namespace ModelCompiler.Hosting.Tuning;

/// <summary>The memory of the machine, or of the container that the process is kept in.</summary>
internal static class MachineMemory
{
    /// <summary>Bytes that are not in use now.</summary>
    public static long Free()
    {
        // The runtime looks at the machine when it collects.
        GC.Collect();
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes);
    }
}
