using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Cpu;

public sealed class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public unsafe void EveryBlockRunsOnceAlsoAfterParking(int threads)
    {
        var team = new ThreadTeam(threads);
        int* runs = stackalloc int[37];
        new Span<int>(runs, 37).Clear();
        for (int round = 1; round <= 300; round++)
        {
            team.Run(round % 38, &Count, runs);
            if (round % 100 == 0)
            {
                Thread.Sleep(20);
            }
        }

        for (int block = 0; block < 37; block++)
        {
            int expected = Enumerable.Range(1, 300).Count(round => round % 38 > block);
            Assert.Equal(expected, runs[block]);
        }
    }

    [Fact]
    public unsafe void DispatchAllocatesNothing()
    {
        var team = new ThreadTeam(2);
        int* runs = stackalloc int[8];
        team.Run(8, &Count, runs);
        void Dispatch()
        {
            for (int round = 0; round < 1000; round++)
            {
                team.Run(8, &Count, runs);
            }
        }

        Assert.Equal(0, Allocations.Least(Dispatch));
    }

    // Each of these tests has a number of threads that no other test of the assembly has.
    [Fact]
    public void RefusedPlansStartNoThreads()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.Throws<ArgumentException>(() => Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = 1 << 20 }, new CpuBackend(11)));
        }

        Assert.Equal(0, WorkerGroup.Count(11));
    }

    [Fact]
    public void ModelsThatAreNeverDisposedShareTheirThreads()
    {
        int[] ids = new int[64];
        var models = new List<Stories260K_Lora>();
        for (int i = 0; i < 100; i++)
        {
            models.Add(Stories260K_Lora.ForTraining(new TrainingPlan { Sequence = 64 }, new CpuBackend(7)));
            models[i].BeginStep(new Step(1, 64), ids, ids, training: true);
            models[i].Forward();
        }

        Assert.Equal(1, WorkerGroup.Count(7));
        models.ForEach(m => m.Dispose());
    }

    [Fact]
    public async Task KernelsThatRunAtOnceHaveThreadsOfTheirOwn()
    {
        var runs = new int[4 * 5];
        Task[] callers =
        [
            .. Enumerable.Range(0, 4).Select(caller => Task.Factory.StartNew(
                () => Use(runs.AsSpan(caller * 5, 5)),
                TaskCreationOptions.LongRunning)),
        ];
        await Task.WhenAll(callers);
        Assert.All(runs, count => Assert.Equal(500, count));
        Assert.InRange(WorkerGroup.Count(13), 1, 4);
    }

    private static unsafe void Use(Span<int> runs)
    {
        var team = new ThreadTeam(13);
        fixed (int* count = runs)
        {
            for (int round = 0; round < 500; round++)
            {
                team.Run(runs.Length, &Count, count);
            }
        }
    }

    private static unsafe void Count(void* context, int block, int thread) => Interlocked.Increment(ref ((int*)context)[block]);
}
