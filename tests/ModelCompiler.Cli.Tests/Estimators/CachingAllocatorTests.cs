using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.CommandLine.Estimators;

namespace ModelCompiler.Cli.Tests.Estimators;

/// <summary>Sizes and segments against the rules of PyTorch's allocator, worked out by hand.</summary>
public class CachingAllocatorTests
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(1, 512, 2)]
    [InlineData(513, 1024, 2)]
    [InlineData(MiB, MiB, 2)]
    [InlineData(MiB + 1, MiB + 512, 20)]
    [InlineData(10 * MiB - 1, 10 * MiB, 10)]
    [InlineData(10 * MiB - 512, 10 * MiB - 512, 20)]
    [InlineData(10 * MiB, 10 * MiB, 10)]
    [InlineData(11 * MiB, 12 * MiB, 12)]
    [InlineData(11 * MiB - 512, 11 * MiB - 512, 12)]
    public void A_first_block_has_this_size_in_a_segment_of_so_many_MiB(long bytes, long size, long segment)
    {
        var allocator = new CachingAllocator();
        Assert.Equal(size, allocator.Allocate(bytes).Size);
        Assert.Equal((size, size, segment * MiB), (allocator.Allocated, allocator.PeakAllocated, allocator.Reserved));
    }

    [Fact]
    public void The_smallest_free_block_that_fits_is_reused_whole_when_little_would_remain()
    {
        var allocator = new CachingAllocator();
        CachingAllocator.Block large = allocator.Allocate(40 * MiB);
        CachingAllocator.Block medium = allocator.Allocate(30 * MiB);
        allocator.Free(large);
        allocator.Free(medium);
        Assert.Equal(30 * MiB, allocator.Allocate(29 * MiB).Size);
        Assert.Equal(28 * MiB, allocator.Allocate(28 * MiB).Size);
        Assert.Equal(12 * MiB, allocator.Allocate(12 * MiB).Size);
        Assert.Equal(70 * MiB, allocator.Reserved);
    }

    [Fact]
    public void Free_neighbors_merge()
    {
        var allocator = new CachingAllocator();
        CachingAllocator.Block[] parts = [allocator.Allocate(6 * MiB), allocator.Allocate(6 * MiB), allocator.Allocate(6 * MiB)];
        allocator.Free(parts[0]);
        allocator.Free(parts[2]);
        allocator.Free(parts[1]);
        Assert.Equal(20 * MiB, allocator.Allocate(20 * MiB).Size);
        Assert.Equal((20 * MiB, 20 * MiB), (allocator.Reserved, allocator.PeakAllocated));
        Assert.Throws<InvalidOperationException>(() => allocator.Free(parts[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => allocator.Allocate(0));
    }

    [Fact]
    public void Any_history_keeps_counts_and_gives_everything_back()
    {
        Gen<(int Size, int Drop)[]> histories = (from size in Gen.OneOf(Gen.Choose(1, 4000), Gen.Choose(900_000, 3_000_000), Gen.Choose(5_000_000, 60_000_000))
                                                 from drop in Gen.Choose(-40, 40)
                                                 select (size, drop)).ArrayOf(60);
        Prop.ForAll(histories.ToArbitrary(), history =>
        {
            var allocator = new CachingAllocator();
            List<CachingAllocator.Block> live = [];
            foreach ((int size, int drop) in history)
            {
                CachingAllocator.Block block = allocator.Allocate(size);
                Assert.InRange(block.Size, size, size + MiB + 511);
                live.Add(block);
                if (drop >= 0 && drop < live.Count)
                {
                    allocator.Free(live[drop]);
                    live.RemoveAt(drop);
                }

                Assert.Equal(live.Sum(b => b.Size), allocator.Allocated);
                Assert.InRange(allocator.PeakAllocated, allocator.Allocated, allocator.Reserved);
            }

            live.ForEach(allocator.Free);
            Assert.Equal(0, allocator.Allocated);
            long reserved = allocator.Reserved;
            allocator.Allocate(512);
            Assert.Equal(reserved + (history.Any(h => h.Size <= MiB) ? 0 : 2 * MiB), allocator.Reserved);
        }).QuickCheckThrowOnFailure();
    }
}
