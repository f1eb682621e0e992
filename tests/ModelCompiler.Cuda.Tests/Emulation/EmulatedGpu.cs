using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Tests.Mocks;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>The CUDA backend on a GPU that this process emulates: its own kernels, packing, geometry and copies, and every thread run by the host.</summary>
internal sealed class EmulatedGpu
{
    /// <summary>Few threads in a block: fibers are slow, and loops of a block over a row are then run.</summary>
    private const int Threads = 64;

    private static readonly string Cache = Path.Combine(Path.GetTempPath(), $"modelcompiler-test-cubins-{Environment.ProcessId}");

    static EmulatedGpu() => AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(Cache, recursive: true);

    public EmulatedGpu(DType activation, int threads = Threads)
    {
        Directory.CreateDirectory(Cache);
        Driver = new EmulatedDriver();
        Products = new MockMatrixLibrary(Driver);
        Backend = new CudaBackend(CudaContext.Open(Driver, 0), new KernelCompiler(new EmulatedCompiler(), new CubinCache(Cache)), Products, activation, threads);
    }

    public EmulatedDriver Driver { get; }

    public MockMatrixLibrary Products { get; }

    public CudaBackend Backend { get; }
}
