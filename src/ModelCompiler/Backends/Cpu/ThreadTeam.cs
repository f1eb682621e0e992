using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu;

/// <summary>
/// A persistent team of threads that shares the blocks of one kernel at a time. The caller is thread 0. Between kernels the others
/// spin for about two milliseconds (a dispatch then costs a tenth of a microsecond; waking a parked thread costs hundreds) and
/// then park. Which thread takes a block is decided by a shared counter, so a block's result must not depend on the thread; a thread that
/// comes late, because the machine is busy, finds nothing left and delays nobody.
/// </summary>
internal sealed unsafe class ThreadTeam : IDisposable
{
    private const int SpinsPerCheck = 64;
    private static readonly long SpinTicks = Stopwatch.Frequency / 500;

    private readonly SemaphoreSlim[] wake;
    private readonly Parking[] parked;
    private Counters counters;
    private delegate*<void*, int, int, void> work;
    private void* context;
    private int blocks;
    private volatile bool stopping;

    /// <summary>Starts the team's threads.</summary>
    /// <param name="threads">Number of threads, the caller included.</param>
    public ThreadTeam(int threads)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
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

    /// <summary>
    /// Calls <paramref name="work"/>(context, block, thread) once for every block from 0 to <paramref name="blocks"/> - 1 and returns when all are done.
    /// Work must not throw. Not re-entrant.
    /// </summary>
    public void Run(int blocks, delegate*<void*, int, int, void> work, void* context)
    {
        if (Threads == 1 || blocks <= 1)
        {
            for (int block = 0; block < blocks; block++)
            {
                work(context, block, 0);
            }

            return;
        }

        this.work = work;
        this.context = context;
        this.blocks = blocks;
        counters.Done = 0;
        Interlocked.Exchange(ref counters.Left, blocks);
        Wake();
        Share(0);
        Wait();
    }

    /// <summary>Ends the threads.</summary>
    public void Dispose()
    {
        if (!stopping)
        {
            stopping = true;
            Interlocked.MemoryBarrier();
            Wake();
        }
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
        while (Await(thread))
        {
            Share(thread);
        }
    }

    /// <summary>Returns true when there are blocks to take and false at the end: spins, then parks.</summary>
    private bool Await(int thread)
    {
        while (true)
        {
            long deadline = Stopwatch.GetTimestamp() + SpinTicks;
            do
            {
                for (int i = 0; i < SpinsPerCheck; i++)
                {
                    if (stopping)
                    {
                        return false;
                    }

                    if (Volatile.Read(ref counters.Left) > 0)
                    {
                        return true;
                    }

                    Pause();
                }
            }
            while (Stopwatch.GetTimestamp() < deadline);

            // Whoever turns the flag back to 0 decides: the dispatcher then releases the semaphore, which must be consumed.
            Interlocked.Exchange(ref parked[thread].Flag, 1);
            bool idle = Volatile.Read(ref counters.Left) == 0 && !stopping;
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
