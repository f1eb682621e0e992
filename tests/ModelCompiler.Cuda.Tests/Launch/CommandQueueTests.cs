using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Gemm;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Mocks;

namespace ModelCompiler.Cuda.Tests.Launch;

/// <summary>When commands reach the driver, one by one or as a graph.</summary>
public sealed class CommandQueueTests : IDisposable
{
    private const int Function = 0x77;

    private readonly MockDriver driver = new();
    private readonly CudaContext context;
    private readonly CudaStream stream;
    private readonly MatrixProducts products;
    private readonly CommandQueue queue;

    public CommandQueueTests()
    {
        context = CudaContext.Open(driver, 0);
        stream = CudaStream.Create(context);
        products = new MatrixProducts(context, new MockMatrixLibrary());
        queue = new CommandQueue(context, stream, products);
    }

    public void Dispose()
    {
        queue.Dispose();
        products.Dispose();
        stream.Dispose();
        context.Dispose();
        Assert.Equal(0, driver.Live);
    }

    [Fact]
    public void NothingStartsBeforeItIsFlushed()
    {
        Put(10, first: 0);
        Assert.Empty(driver.Launches);
        queue.Flush();
        Assert.Equal(Enumerable.Range(0, 10), driver.Launches.Select(launch => BitConverter.ToInt32(launch.Arguments)));
    }

    /// <summary>Once started one by one, once recorded, from then on one call.</summary>
    [Fact]
    public void TheSameCommandsBecomeAGraph()
    {
        List<(int Kernels, int Graphs)> calls = [];
        for (int time = 0; time < 4; time++)
        {
            driver.Calls.Clear();
            Put(10, first: 0);
            queue.Flush();
            calls.Add((driver.Calls.Count(call => call == "cuLaunchKernel"), driver.Calls.Count(call => call == "cuGraphLaunch")));
        }

        Assert.Equal([(10, 0), (10, 1), (0, 1), (0, 1)], calls);
        Assert.Equal(1, queue.Graphs);
    }

    /// <summary>One other argument of one kernel, one kernel more: other commands.</summary>
    [Fact]
    public void OtherCommandsDoNot()
    {
        foreach ((int count, int first) in (ReadOnlySpan<(int, int)>)[(10, 0), (10, 1), (11, 0), (10, 2)])
        {
            Put(count, first);
            queue.Flush();
        }

        Assert.Equal(0, queue.Graphs);
        Assert.Equal(41, driver.Launches.Count);
    }

    [Fact]
    public void AFewCommandsAreNotWorthAGraph()
    {
        for (int time = 0; time < 5; time++)
        {
            Put(3, first: 0);
            queue.Flush();
        }

        Assert.Equal(0, queue.Graphs);
        Assert.Equal(15, driver.Launches.Count);
    }

    /// <summary>What came after the refused command is dropped, and the stream does not go on recording.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ARefusedCommandIsToldAndForgotten(int times)
    {
        for (int time = 0; time < times; time++)
        {
            Put(10, first: 0);
            queue.Flush();
        }

        driver.Failing["cuLaunchKernel"] = 700;
        Put(10, first: 0);
        CudaException error = Assert.Throws<CudaException>(queue.Flush);
        Assert.Equal(("cuLaunchKernel", "CUDA_ERROR_ILLEGAL_ADDRESS"), (error.Call, error.Error));

        driver.Failing.Clear();
        driver.Launches.Clear();
        queue.Flush();
        Assert.Empty(driver.Launches);
        Put(2, first: 5);
        queue.Flush();
        Assert.Equal(2, driver.Launches.Count);
    }

    /// <summary>A geometry that no device takes is refused where it is asked for, not when the queue is flushed.</summary>
    [Fact]
    public void AnImpossibleGeometryIsRefusedAtOnce() =>
        Assert.Throws<ArgumentException>(() => queue.Launch(Function, new LaunchGeometry(1, BlockX: 2048), []));

    private void Put(int count, int first)
    {
        for (int i = 0; i < count; i++)
        {
            queue.Launch(Function, new LaunchGeometry(1, BlockX: 32), BitConverter.GetBytes(first + i));
        }
    }
}
