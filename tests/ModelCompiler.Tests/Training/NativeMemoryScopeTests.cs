using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Training;

public class NativeMemoryScopeTests
{
    [Fact]
    public void Counts_what_is_taken_and_given_back()
    {
        using var scope = new NativeMemoryScope();
        using (new NativeArena(100, 64))
        {
            using var second = new NativeArena(30, 64);
            Assert.Equal(130, scope.BytesInUse);
        }

        Assert.Equal((0, 130), (scope.BytesInUse, scope.PeakBytes));
    }

    [Fact]
    public void An_inner_scope_counts_for_the_outer_one()
    {
        using var outer = new NativeMemoryScope();
        using var first = new NativeArena(100, 64);
        NativeArena second;
        using (var inner = new NativeMemoryScope())
        {
            second = new NativeArena(30, 64);
            Assert.Equal((30, 30), (inner.BytesInUse, inner.PeakBytes));
        }

        using var third = new NativeArena(5, 64);
        Assert.Equal((135, 135), (outer.BytesInUse, outer.PeakBytes));
        second.Dispose();
        Assert.Equal((105, 135), (outer.BytesInUse, outer.PeakBytes));
    }

    [Fact]
    public void Memory_of_other_code_is_not_counted()
    {
        using var before = new NativeArena(7, 64);
        using var scope = new NativeMemoryScope();
        using (ExecutionContext.SuppressFlow())
        {
            Run(() => new NativeArena(100, 64).Dispose());
        }

        Assert.Equal(0, scope.PeakBytes);
        before.Dispose();
        Assert.Equal(0, scope.BytesInUse);
    }

    [Fact]
    public void Memory_of_threads_that_the_code_starts_is_counted()
    {
        using var scope = new NativeMemoryScope();
        Run(() => new NativeArena(100, 64).Dispose());
        Assert.Equal((0, 100), (scope.BytesInUse, scope.PeakBytes));
    }

    private static void Run(ThreadStart work)
    {
        var thread = new Thread(work);
        thread.Start();
        thread.Join();
    }
}
