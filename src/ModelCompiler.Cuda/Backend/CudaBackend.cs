using System.Runtime.InteropServices;
using ModelCompiler.Backends;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Gemm;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Memory;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <summary>
/// Runs compiled models on an NVIDIA GPU: one block of device memory for the whole plan, kernels and products in order on one stream, copies
/// of paged memory beside them on another. Sums are of Float32; activations are bfloat16 or Float32.
/// </summary>
public sealed unsafe partial class CudaBackend : IBackend
{
    private readonly CudaContext _context;
    private readonly CudaStream _stream;
    private readonly CudaStream _copies;
    private readonly KernelLibrary _kernels;
    private readonly MatrixProducts _products;
    private readonly CommandQueue _queue;
    private readonly HostStaging _staging;
    private readonly KernelArguments _arguments = new();
    private readonly int _threads;
    private DeviceMemory? _arena;
    private MemoryRange _workspace;
    private Step _step = new(1, 1);
    private bool _disposed;

    internal CudaBackend(CudaContext context, KernelCompiler compiler, IMatrixLibrary matrices, DType activation, int threads = MaximumThreads)
    {
        (_context, _threads) = (context, threads);
        Profile = BackendProfile.Cuda(activation);
        _kernels = new KernelLibrary(context, compiler);
        _products = new MatrixProducts(context, matrices);
        _stream = CudaStream.Create(context);
        _copies = CudaStream.Create(context);
        _queue = new CommandQueue(context, _stream, _products);
        _staging = new HostStaging(context, _stream);
    }

    /// <summary>MAXIMUM_THREADS of device.cuh.</summary>
    internal const int MaximumThreads = 256;

    /// <inheritdoc/>
    public BackendProfile Profile { get; }

    /// <summary>Whether commands that come again are started as CUDA graphs.</summary>
    public bool UsesGraphs
    {
        get => _queue.UsesGraphs;
        set => _queue.UsesGraphs = value;
    }

    /// <summary>CUDA graphs recorded so far.</summary>
    internal int Graphs => _queue.Graphs;

    /// <summary>The GPU.</summary>
    public CudaDevice Device => _context.Device;

    /// <inheritdoc/>
    public long AllocatedBytes => _arena?.Bytes ?? 0;

    private DeviceMemory Arena => !_disposed && _arena is { } arena ? arena : throw (_disposed
        ? new ObjectDisposedException(GetType().FullName)
        : new InvalidOperationException("The backend has no memory yet: call Allocate first."));

    /// <summary>Opens a device. Kernels are compiled when they are first used, or taken from the present user's cache.</summary>
    /// <param name="activation">Type of activations: BFloat16, or Float32 to compute as the CPU does.</param>
    /// <param name="ordinal">Index among the visible devices.</param>
    /// <exception cref="CudaUnavailableException">There is no driver, no such device, or a library of CUDA is missing; the message says which.</exception>
    /// <exception cref="CudaException">The driver failed otherwise.</exception>
    /// <exception cref="ArgumentException">The type is neither of the two.</exception>
    public static CudaBackend Open(DType activation = DType.BFloat16, int ordinal = 0)
    {
        if (activation is not (DType.BFloat16 or DType.Float32))
        {
            throw new ArgumentException($"activations on a GPU are BFloat16 or Float32, not {activation}", nameof(activation));
        }

        CudaContext context = CudaContext.Open(ordinal);
        return new CudaBackend(context, new KernelCompiler(new CubinCache(CubinCache.DefaultFolder)), NativeCublasLt.Instance, activation);
    }

    /// <summary>All memory of the device: what others hold of it shows when it is allocated.</summary>
    public FreeMemory? FindFreeMemory() => new FreeMemory(Device.MemoryBytes, $"the memory of {Device.Name}");

    /// <inheritdoc/>
    public void Allocate(long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_arena is not null)
        {
            throw new InvalidOperationException("The arena exists already.");
        }

        try
        {
            _arena = DeviceMemory.Allocate(_context, bytes);
        }
        catch (CudaException error) when (error.Error == "CUDA_ERROR_OUT_OF_MEMORY")
        {
            throw new OutOfMemoryException($"{Device.Name} cannot give {bytes} bytes of its {Device.MemoryBytes}: {error.Message}", error);
        }

        _stream.Zero(_arena, 0, bytes);
    }

    /// <inheritdoc/>
    public void UseWorkspace(long offset, long bytes)
    {
        _workspace = new MemoryRange(offset, bytes);
        WriteConstants();
    }

    /// <inheritdoc/>
    public void BeginStep(in Step step)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        step.Check();
        _step = step;
        WriteStep();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _staging.Dispose();
        _queue.Dispose();
        _kernels.Dispose();
        _products.Dispose();
        DisposePages();
        _arena?.Dispose();
        _stream.Dispose();
        _copies.Dispose();
        _context.Dispose();
    }

    /// <summary>The device address of a tensor; 0 of none.</summary>
    /// <exception cref="ArgumentException">It reaches outside the arena.</exception>
    private nint Address(Tensor tensor)
    {
        if (tensor.IsNone)
        {
            return 0;
        }

        return tensor.Fits(Arena.Bytes)
            ? Arena.Address(tensor.Offset, tensor.End - tensor.Offset)
            : throw new ArgumentException($"{tensor} reaches outside the arena of {Arena.Bytes} bytes.");
    }

    /// <summary>Some bytes of the workspace for operands and intermediate results, from the first byte after what is fixed.</summary>
    /// <exception cref="InvalidOperationException">The plan has no room for them.</exception>
    private Tensor Scratch(long from, int rows, int columns, DType type)
    {
        var scratch = new Tensor(_workspace.Offset + BackendProfile.CudaConstants + BackendProfile.CudaProducts + from, rows, columns, columns, type);
        return scratch.End <= _workspace.Offset + _workspace.Bytes
            ? scratch
            : throw new InvalidOperationException(
                $"The workspace of {_workspace.Bytes} bytes is {scratch.End - _workspace.Offset - _workspace.Bytes} too small for {scratch}: the plan was made for another backend.");
    }

    /// <summary>Address and stride of each.</summary>
    private KernelArguments Pack(params ReadOnlySpan<Tensor> tensors)
    {
        _arguments.Clear();
        foreach (Tensor tensor in tensors)
        {
            _arguments.Add(Address(tensor)).Add((long)tensor.Stride);
        }

        return _arguments;
    }

    /// <summary>Addresses alone, of what has no gaps between its rows.</summary>
    private KernelArguments PackAddresses(params ReadOnlySpan<Tensor> tensors)
    {
        _arguments.Clear();
        foreach (Tensor tensor in tensors)
        {
            _arguments.Add(Address(tensor));
        }

        return _arguments;
    }

    /// <summary>One block along x for each row; as many along y as its columns keep busy.</summary>
    private void ForRows(string kernel, int rows, int columns, KernelArguments packed, DType activation, DType? weight = null)
    {
        int vectors = Vectors(columns, activation);
        int threads = Math.Min(_threads, (vectors + WarpSize - 1) / WarpSize * WarpSize);
        Launch(kernel, rows, Math.Min((vectors + threads - 1) / Math.Max(threads, 1), MaximumGridY), Math.Max(threads, WarpSize), packed, activation, weight);
    }

    /// <summary>One block for each row, which reduces over its columns.</summary>
    private void OverRows(string kernel, int rows, int columns, KernelArguments packed, DType activation, DType? weight = null)
    {
        int threads = Math.Clamp((Vectors(columns, activation) + WarpSize - 1) / WarpSize * WarpSize, WarpSize, _threads);
        Launch(kernel, rows, 1, threads, packed, activation, weight);
    }

    /// <summary>One block for each 32 columns, which sums over the rows.</summary>
    private void OverColumns(string kernel, int columns, KernelArguments packed, DType activation) =>
        Launch(kernel, (columns + WarpSize - 1) / WarpSize, 1, _threads, packed, activation);

    private void Launch(string kernel, int gridX, int gridY, int threads, KernelArguments packed, DType activation, DType? weight = null)
    {
        if (gridX > 0 && gridY > 0)
        {
            var types = new KernelTypes(activation, weight ?? activation);
            _queue.Launch(_kernels.Function(kernel, types), new LaunchGeometry(gridX, gridY, BlockX: threads), packed.Bytes);
        }
    }

    /// <summary>Loads of 16 bytes that a row takes.</summary>
    private static int Vectors(int columns, DType type) => (columns * type.Size() + 15) / 16;

    private const int WarpSize = 32;
    private const int MaximumGridY = 65_535;

    private static ReadOnlySpan<byte> BytesOf<T>(in T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value));
}
