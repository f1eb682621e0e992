namespace ModelCompiler.Planning;

/// <summary>
/// What a backend needs of memory, as pure data, so that the build can plan for a machine it is not running on.
/// </summary>
/// <param name="Name">Name on the command line: cpu, cuda, torchsharp, reference, null.</param>
/// <param name="Compute">Element type of trainable parameters and their gradients, of statistics and scalars.</param>
/// <param name="Alignment">Every buffer starts at a multiple of this many bytes.</param>
/// <param name="Threads">Threads that compute; part of the plan, never read from the environment while running.</param>
/// <param name="ScratchPerThread">Bytes of scratch each thread uses whatever the shape: packed panels, strips of scores.</param>
/// <param name="PadsRows">Whether rows whose length in bytes is a multiple of 1 KiB get 64 bytes more, against cache-set conflicts.</param>
/// <param name="FixedOverhead">Bytes the runtime itself takes beside the arena; reported, never allocated by us.</param>
public sealed record BackendProfile(
    string Name,
    DType Compute,
    int Alignment,
    int Threads,
    long ScratchPerThread,
    bool PadsRows,
    long FixedOverhead)
{
    /// <summary>Whether the arena is host memory, as it is of all backends without a device of their own: what is paged to the host then takes as much of it.</summary>
    public bool IsHostMemory { get; init; } = true;

    /// <summary>Whether the overhead is that of the process, which grows with the code that a model's adapters need.</summary>
    public bool CountsCode { get; init; }

    /// <summary>Element type of what is computed of tokens, and of its gradients.</summary>
    public DType Activation { get; init; } = Compute;

    /// <summary>Whether products take operands of the type of activations only: a weight of another type is decoded or converted in workspace.</summary>
    public bool ConvertsOperands { get; init; }

    /// <summary>The embedded CPU backend.</summary>
    public static BackendProfile Cpu(int threads) =>
        new("cpu", DType.Float32, 64, threads, ScratchPerThread: 1L << 20, PadsRows: true, FixedOverhead: ProcessOverhead.Runtime) { CountsCode = true };

    /// <summary>
    /// An NVIDIA GPU. The scratch is what the device's constants take and what cuBLASLt may use, 32 MiB as NVIDIA advises for Hopper; the overhead that of
    /// a context with loaded kernels, an estimate.
    /// </summary>
    /// <param name="activation">Float32 or BFloat16; sums are of Float32 in both.</param>
    public static BackendProfile Cuda(DType activation) =>
        new("cuda", DType.Float32, 256, 1, ScratchPerThread: CudaConstants + CudaProducts, PadsRows: false, FixedOverhead: 512L << 20)
        {
            Activation = activation,
            ConvertsOperands = true,
            IsHostMemory = false,
        };

    /// <summary>Bytes at the start of a CUDA device's workspace for what kernels find at a fixed address: scalars of the step, frequencies, quantization maps.</summary>
    public const long CudaConstants = 64L << 10;

    /// <summary>Bytes after <see cref="CudaConstants"/> that cuBLASLt works in.</summary>
    public const long CudaProducts = 32L << 20;

    /// <summary><c>TorchBackend</c>, on TorchSharp's tensors: libtorch computes, with threads of its own; the workspace is for operations that torch has no in-place form of.</summary>
    /// <param name="isHostMemory">Whether torch's device is the CPU; on another a quantized weight is decoded whole, by a kernel.</param>
    /// <param name="activation">Float32 or BFloat16; parameters, statistics and what is computed element by element are Float32 in both.</param>
    public static BackendProfile TorchSharp(bool isHostMemory, DType activation = DType.Float32) =>
        new("torchsharp", DType.Float32, 256, 1, ScratchPerThread: 16L << 20, PadsRows: false, FixedOverhead: 256L << 20)
        {
            Activation = activation,
            IsHostMemory = isHostMemory,
            ConvertsOperands = !isHostMemory,
        };

    /// <summary>The double-precision oracle: one thread, plain loops.</summary>
    public static BackendProfile Reference { get; } =
        new("reference", DType.Float64, 64, 1, ScratchPerThread: 0, PadsRows: false, FixedOverhead: 0);

    /// <summary>The backend that runs nothing and records which bytes a step would touch.</summary>
    public static BackendProfile Null { get; } =
        new("null", DType.Float32, 64, 1, ScratchPerThread: 0, PadsRows: true, FixedOverhead: 0);

    /// <summary>Bytes beside the arena for a model: <see cref="FixedOverhead"/>, and where it counts the code what the adapters need.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="adapters">Bytes of its adapters.</param>
    public long OverheadOf(ModelTables tables, long adapters) => FixedOverhead + (CountsCode ? ProcessOverhead.OfAdapters(tables, adapters) : 0);

    /// <summary>Elements from one row to the next of a buffer with this many columns.</summary>
    public int RowStride(int columns, DType type)
    {
        int bytes = columns * type.Size();
        return PadsRows && bytes >= 1024 && bytes % 1024 == 0 ? columns + 64 / type.Size() : columns;
    }

    /// <summary>Bytes of a buffer of activations, its rows padded, aligned.</summary>
    public long MatrixBytes(int rows, int columns, DType type) => Align((long)rows * RowStride(columns, type) * type.Size());

    /// <summary>Bytes of workspace of a plan: every kernel of a thread works within the thread's scratch, whatever the shape.</summary>
    public long Workspace => Threads * Align(ScratchPerThread);

    /// <summary>The next multiple of <see cref="Alignment"/>.</summary>
    public long Align(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
