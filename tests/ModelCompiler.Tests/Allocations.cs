namespace ModelCompiler.Tests;

/// <summary>
/// Managed memory that a call needs every time. The runtime itself allocates now and then on whichever thread it interrupts (when it
/// recompiles a loop that runs often, say), so one call that allocates proves nothing; code that allocates does so in each of them.
/// </summary>
internal static class Allocations
{
    /// <summary>The least that <paramref name="call"/> allocated on this thread, over a few calls, in bytes.</summary>
    public static long Least(Action call)
    {
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 8 && least > 0; attempt++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            call();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
