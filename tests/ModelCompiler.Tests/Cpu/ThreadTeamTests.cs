using ModelCompiler.Backends.Cpu;

namespace ModelCompiler.Tests.Cpu;

public sealed unsafe class ThreadTeamTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void EveryBlockRunsOnceAlsoAfterParking(int threads)
    {
        using var team = new ThreadTeam(threads);
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
    public void DispatchAllocatesNothing()
    {
        using var team = new ThreadTeam(2);
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

    private static void Count(void* context, int block, int thread) => Interlocked.Increment(ref ((int*)context)[block]);
}
