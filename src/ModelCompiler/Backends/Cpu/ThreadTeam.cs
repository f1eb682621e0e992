namespace ModelCompiler.Backends.Cpu;

/// <summary>The threads of one backend: how many there are; the process's own do the work. Not thread-safe: one caller at a time.</summary>
/// <param name="threads">Number of threads, the caller included.</param>
internal sealed unsafe class ThreadTeam(int threads)
{
    private WorkerGroup? last;

    /// <summary>Number of threads, the caller included.</summary>
    public int Threads => threads;

    /// <summary>
    /// Calls <paramref name="work"/>(context, block, thread) once for every block from 0 to <paramref name="blocks"/> - 1 and returns when all are done.
    /// Work must not throw. Not re-entrant.
    /// </summary>
    public void Run(int blocks, delegate*<void*, int, int, void> work, void* context)
    {
        if (threads == 1 || blocks <= 1)
        {
            for (int block = 0; block < blocks; block++)
            {
                work(context, block, 0);
            }

            return;
        }

        // Threads that ran this backend's last kernel may still spin, and have its scratch in their caches.
        if (last is null || !last.TryBorrow())
        {
            last = WorkerGroup.Borrow(threads);
        }

        last.Run(blocks, work, context);
        last.Return();
    }
}
