using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// Persistent threads that share the blocks of one kernel at a time. The caller is thread 0. Between kernels the others
/// spin for about two milliseconds (a dispatch then costs a tenth of a microsecond; waking a parked thread costs hundreds) and
/// then park. Which thread takes a block is decided by a shared counter, so a block's result must not depend on the thread; a thread that
/// comes late, because the machine is busy, finds nothing left and delays nobody. Groups belong to the process: a kernel borrows one that is
/// idle, so that there are as many as kernels ever ran at once, however many backends there are.
/// </summary>
internal sealed unsafe class WorkerGroup
{
    private const int SpinsPerCheck = 64;
    private static readonly long SpinTicks = Stopwatch.Frequency / 500;

    private static WorkerGroup[] s_groups = [];

    private readonly SemaphoreSlim[] wake;
    private readonly Parking[] parked;
    private Counters counters;
    private delegate*<void*, int, int, void> work;
    private void* context;
    private int blocks;
    private int borrowed = 1;

    private WorkerGroup(int threads)
    {
        Threads = threads;
        wake = new SemaphoreSlim[threads];
        parked = new Parking[threads];
        for (int i = 1; i < threads; i++)
        {
            int index = i;
            wake[i] = new SemaphoreSlim(0);
            new Thread(() => Serve(index)) { IsBackground = true, Name = $"cpu kernel {index}" }.Start();
        }
    }

    /// <summary>Number of threads, the caller included.</summary>
    public int Threads { get; }

    /// <summary>How many groups of this size the process has.</summary>
    public static int Count(int threads) => Volatile.Read(ref s_groups).Count(g => g.Threads == threads);

    /// <summary>An idle group of this size, new where all are at work.</summary>
    public static WorkerGroup Borrow(int threads)
    {
        foreach (WorkerGroup group in Volatile.Read(ref s_groups))
        {
            if (group.Threads == threads && group.TryBorrow())
            {
                return group;
            }
        }

        var added = new WorkerGroup(threads);
        WorkerGroup[] known;
        do
        {
            known = Volatile.Read(ref s_groups);
        }
        while (Interlocked.CompareExchange(ref s_groups, [.. known, added], known) != known);
        return added;
    }

    /// <summary>Borrows this group, if it is idle.</summary>
    public bool TryBorrow() => Volatile.Read(ref borrowed) == 0 && Interlocked.CompareExchange(ref borrowed, 1, 0) == 0;

    /// <summary>Gives the group back.</summary>
    public void Return() => Volatile.Write(ref borrowed, 0);

    /// <summary>Calls <paramref name="work"/>(context, block, thread) once for every block and returns when all are done; for who has borrowed the group.</summary>
    public void Run(int blocks, delegate*<void*, int, int, void> work, void* context)
    {
        this.work = work;
        this.context = context;
        this.blocks = blocks;
        counters.Done = 0;
        Interlocked.Exchange(ref counters.Left, blocks);
        Wake();
        Share(0);
        Wait();
    }

    private void Wake()
    {
        for (int i = 1; i < Threads; i++)
        {
            if (Volatile.Read(ref parked[i].Flag) != 0 && Interlocked.Exchange(ref parked[i].Flag, 0) != 0)
            {
                wake[i].Release();
            }
        }
    }

    /// <summary>
    /// Takes and does blocks until none is left. What work is, is read after a block was taken: a run cannot end, and so the fields
    /// cannot change, before each of its blocks is done.
    /// </summary>
    private void Share(int thread)
    {
        int left;
        while ((left = Volatile.Read(ref counters.Left)) > 0)
        {
            if (Interlocked.CompareExchange(ref counters.Left, left - 1, left) == left)
            {
                work(context, blocks - left, thread);
                Interlocked.Increment(ref counters.Done);
            }
        }
    }

    private void Wait()
    {
        for (int spins = 1; Volatile.Read(ref counters.Done) != blocks; spins++)
        {
            // The other thread may have lost its core: after some tens of microseconds let it run on ours.
            Pause();
            if (spins % 1024 == 0)
            {
                Thread.Yield();
            }
        }
    }

    private void Serve(int thread)
    {
        while (true)
        {
            Await(thread);
            Share(thread);
        }
    }

    /// <summary>Returns when there are blocks to take: spins, then parks.</summary>
    private void Await(int thread)
    {
        while (true)
        {
            long deadline = Stopwatch.GetTimestamp() + SpinTicks;
            do
            {
                for (int i = 0; i < SpinsPerCheck; i++)
                {
                    if (Volatile.Read(ref counters.Left) > 0)
                    {
                        return;
                    }

                    Pause();
                }
            }
            while (Stopwatch.GetTimestamp() < deadline);

            // Whoever turns the flag back to 0 decides: the dispatcher then releases the semaphore, which must be consumed.
            Interlocked.Exchange(ref parked[thread].Flag, 1);
            bool idle = Volatile.Read(ref counters.Left) == 0;
            if (idle || Interlocked.Exchange(ref parked[thread].Flag, 0) == 0)
            {
                wake[thread].Wait();
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pause()
    {
        if (X86Base.IsSupported)
        {
            X86Base.Pause();
        }
        else
        {
            Thread.SpinWait(1);
        }
    }

    /// <summary>Each counter on its own pair of cache lines.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        /// <summary>Blocks nobody has taken.</summary>
        [FieldOffset(128)]
        public int Left;

        /// <summary>Blocks that are done.</summary>
        [FieldOffset(256)]
        public int Done;
    }

    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Parking
    {
        [FieldOffset(64)]
        public int Flag;
    }
}
