using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Mocks;

namespace ModelCompiler.Cuda.Tests;

/// <summary>What is created, in which order it is freed, and what a failed or late call says.</summary>
public class CudaResourceTests
{
    private readonly MockDriver driver = new();

    [Fact]
    public void EverythingIsFreedOnce()
    {
        using (CudaContext context = CudaContext.Open(driver, 0))
        using (CudaStream.Create(context))
        using (CudaEvent.Create(context))
        using (CudaModule.Load(context, [1, 2, 3]))
        using (DeviceMemory.Allocate(context, 1000))
        using (PinnedMemory pinned = PinnedMemory.Allocate(context, 500))
        {
            Assert.Equal(6, driver.Live);
            pinned.Dispose();
        }

        Assert.Equal(0, driver.Live);
        Assert.Equal([1, 2, 3], driver.LoadedImage);
        Assert.Equal(
            [
                "cuDevicePrimaryCtxRetain", "cuStreamCreate", "cuEventCreate", "cuModuleLoadData", "cuMemAlloc(1000)", "cuMemHostAlloc(500)",
                "cuMemFreeHost", "cuMemFree", "cuModuleUnload", "cuEventDestroy", "cuStreamDestroy", "cuDevicePrimaryCtxRelease(40)",
            ],
            driver.Calls.SkipWhile(call => call != "cuDevicePrimaryCtxRetain"));
    }

    [Fact]
    public void AContextOutlivesWhatIsInIt()
    {
        CudaContext context = CudaContext.Open(driver, 0);
        DeviceMemory memory = DeviceMemory.Allocate(context, 64);
        CudaStream stream = CudaStream.Create(context);
        context.Dispose();
        Assert.Throws<ObjectDisposedException>(() => CudaStream.Create(context));
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
        Assert.Equal(3, driver.Live);
        memory.Dispose();
        stream.Dispose();
        Assert.Equal(["cuMemFree", "cuStreamDestroy", "cuDevicePrimaryCtxRelease(40)"], driver.Calls[^3..]);
        Assert.Equal(0, driver.Live);
    }

    [Fact]
    public void CopiesMoveTheirRange()
    {
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaStream stream = CudaStream.Create(context);
        using DeviceMemory a = DeviceMemory.Allocate(context, 16);
        using DeviceMemory b = DeviceMemory.Allocate(context, 16);
        using PinnedMemory pinned = PinnedMemory.Allocate(context, 16);
        stream.Zero(a, 0, 16);
        stream.Zero(b, 0, 16);
        stream.CopyToDevice([1, 2, 3, 4], a, 8);
        stream.Copy(a, 9, b, 2, 3);
        stream.CopyToHost(b, 0, pinned, 4, 6);
        stream.Synchronize();
        Assert.Equal([0, 0, 2, 3, 4, 0], pinned.Span(4, 6).ToArray());
        pinned.Span(0, 1)[0] = 9;
        stream.CopyToDevice(pinned, 0, b, 15, 1);
        var read = new byte[2];
        stream.CopyToHost(b, 14, read);
        Assert.Equal([0, 9], read);
        Assert.Equal("cuStreamSynchronize", driver.Calls[^1]);
    }

    [Theory]
    [InlineData(-1, 1)]
    [InlineData(0, 17)]
    [InlineData(16, 1)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(0, -1)]
    public void RangesStayWithinTheirBlock(long offset, long bytes)
    {
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaStream stream = CudaStream.Create(context);
        using DeviceMemory memory = DeviceMemory.Allocate(context, 16);
        using PinnedMemory pinned = PinnedMemory.Allocate(context, 16);
        int calls = driver.Calls.Count;
        Assert.Throws<ArgumentOutOfRangeException>(() => memory.Address(offset, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Zero(memory, offset, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.CopyToHost(memory, offset, pinned, 0, bytes));
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.CopyToDevice(pinned, offset, memory, 0, bytes));
        Assert.Equal(calls, driver.Calls.Count);
    }

    [Fact]
    public void EventsJoinStreamsAndTakeTheTime()
    {
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaStream one = CudaStream.Create(context);
        using CudaStream other = CudaStream.Create(context);
        using CudaEvent start = CudaEvent.Create(context, timing: true);
        using CudaEvent end = CudaEvent.Create(context, timing: true);
        one.Record(start);
        other.Wait(start);
        other.Record(end);
        end.Synchronize();
        Assert.Equal(1, start.MillisecondsTo(end));
        Assert.Equal(["cuEventRecord", "cuStreamWaitEvent", "cuEventRecord", "cuEventSynchronize", "cuEventElapsedTime"], driver.Calls[^5..]);
    }

    [Theory]
    [InlineData("cuStreamCreate", 1)]
    [InlineData("cuEventCreate", 1)]
    [InlineData("cuMemAlloc", MockDriver.OutOfMemory)]
    [InlineData("cuMemHostAlloc", MockDriver.OutOfMemory)]
    [InlineData("cuModuleLoadData", 209)]
    [InlineData("cuCtxSetCurrent", 3)]
    public void AFailedCreationLeavesNothing(string call, int code)
    {
        using (CudaContext context = CudaContext.Open(driver, 0))
        {
            driver.Failing[call] = code;
            Func<CudaResource> create = call switch
            {
                "cuStreamCreate" => () => CudaStream.Create(context),
                "cuEventCreate" => () => CudaEvent.Create(context),
                "cuMemHostAlloc" => () => PinnedMemory.Allocate(context, 8),
                "cuModuleLoadData" => () => CudaModule.Load(context, [0]),
                _ => () => DeviceMemory.Allocate(context, 8),
            };
            CudaException error = Assert.Throws<CudaException>(create);
            Assert.Equal($"{call} failed: {driver.ErrorName(code)} ({code}).", error.Message);
            driver.Failing.Clear();
        }

        Assert.Equal(0, driver.Live);
    }

    [Theory]
    [InlineData("cuStreamSynchronize")]
    [InlineData("cuMemcpyHtoDAsync")]
    [InlineData("cuMemcpyDtoHAsync")]
    [InlineData("cuMemcpyDtoDAsync")]
    [InlineData("cuMemsetD8Async")]
    [InlineData("cuEventRecord")]
    [InlineData("cuStreamWaitEvent")]
    [InlineData("cuEventSynchronize")]
    [InlineData("cuEventElapsedTime")]
    [InlineData("cuLaunchKernel")]
    [InlineData("cuModuleGetFunction")]
    public void AFailedCallIsNamed(string call)
    {
        using CudaContext context = CudaContext.Open(driver, 0);
        using CudaStream stream = CudaStream.Create(context);
        using CudaEvent mark = CudaEvent.Create(context);
        using CudaModule module = CudaModule.Load(context, [0]);
        using DeviceMemory memory = DeviceMemory.Allocate(context, 8);
        driver.Failing[call] = 700;
        Action use = call switch
        {
            "cuStreamSynchronize" => stream.Synchronize,
            "cuMemcpyHtoDAsync" => () => stream.CopyToDevice([1], memory, 0),
            "cuMemcpyDtoHAsync" => () => stream.CopyToHost(memory, 0, new byte[1]),
            "cuMemcpyDtoDAsync" => () => stream.Copy(memory, 0, memory, 4, 1),
            "cuMemsetD8Async" => () => stream.Zero(memory, 0, 8),
            "cuEventRecord" => () => stream.Record(mark),
            "cuStreamWaitEvent" => () => stream.Wait(mark),
            "cuEventSynchronize" => mark.Synchronize,
            "cuEventElapsedTime" => () => mark.MillisecondsTo(mark),
            "cuLaunchKernel" => () => stream.Launch(0x77, new LaunchGeometry(1), []),
            _ => () => module.Function("missing"),
        };
        CudaException error = Assert.Throws<CudaException>(use);
        Assert.Equal(("CUDA_ERROR_ILLEGAL_ADDRESS", 700), (error.Error, error.Code));
        Assert.StartsWith(call, error.Call);
    }

    [Fact]
    public void WhatWasDisposedIsNotUsed()
    {
        using CudaContext context = CudaContext.Open(driver, 0);
        CudaStream stream = CudaStream.Create(context);
        DeviceMemory memory = DeviceMemory.Allocate(context, 8);
        stream.Dispose();
        memory.Dispose();
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => memory.Address());
        Assert.Throws<ArgumentOutOfRangeException>(() => DeviceMemory.Allocate(context, 0));
    }

    [Fact]
    public void CublasLtIsMadeAndDestroyed()
    {
        var library = new MockMatrixLibrary();
        using CudaContext context = CudaContext.Open(driver, 0);
        using (CublasLt cublas = CublasLt.Create(context, library))
        {
            Assert.Equal(120_403, cublas.Version);
            Assert.Empty(library.Destroyed);
        }

        Assert.Equal([0x55], library.Destroyed);
        Assert.Equal(
            "cublasLtCreate failed: CUBLAS_STATUS_NOT_INITIALIZED (1).",
            Assert.Throws<CudaException>(() => CublasLt.Create(context, new MockMatrixLibrary { CreateResult = 1 })).Message);
        Assert.StartsWith(
            "cuBLASLt is not on this machine: none of ",
            Assert.Throws<CudaUnavailableException>(() => CublasLt.Create(context, new MockMatrixLibrary { IsPresent = false })).Message);
    }
}
