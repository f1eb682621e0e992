using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

/// <summary>
/// Compiled models on TorchSharp: the arena is one torch tensor of bytes on the device, every buffer a view of it, and operations write in place.
/// What an operation needs beside its operands lies in the plan's workspace, rows in turn; only sums of rows, indices, some heads' scores and decoded pieces of
/// quantized weights, or operands as another type, are torch's own for as long as the call takes. Computes in Float32, of bfloat16 activations the
/// products with weights in bfloat16, in the order of the device's default stream. Not thread-safe: one caller at a time.
/// </summary>
public sealed partial class TorchBackend : IBackend
{
    private readonly torch.Device _device;
    private readonly QuantizedKernels? _kernels;
    private readonly Dictionary<torch.ScalarType, TorchTensor> _typed = [];
    private TorchTensor? _arena;
    private TorchTensor? _pages;
    private Step _step = new(1, 1);
    private bool _disposed;

    /// <summary>Chooses the device; memory comes with <see cref="Allocate"/>.</summary>
    /// <param name="device">Torch's device; null: the CPU.</param>
    /// <param name="activation">Element type of what is computed of tokens: Float32 or BFloat16.</param>
    /// <exception cref="ArgumentException">Activations are of another type.</exception>
    public TorchBackend(torch.Device? device = null, DType activation = DType.Float32)
        : this(device ?? torch.CPU, BackendProfile.TorchSharp(isHostMemory: (device ?? torch.CPU).type == DeviceType.CPU, Checked(activation)))
    {
    }

    /// <summary>With another workspace, for tests.</summary>
    internal TorchBackend(torch.Device device, BackendProfile profile) =>
        (_device, Profile, _kernels) = (device, profile, QuantizedKernels.For(device));

    /// <inheritdoc/>
    public BackendProfile Profile { get; }

    /// <summary>The device of the arena.</summary>
    public torch.Device Device => _device;

    /// <inheritdoc/>
    public long AllocatedBytes => _arena?.NumberOfElements ?? 0;

    /// <inheritdoc/>
    public long PagedBytes => _pages?.NumberOfElements ?? 0;

    private TorchTensor Arena => _arena ?? throw (_disposed
        ? new ObjectDisposedException(GetType().FullName)
        : new InvalidOperationException("The backend has no memory yet: call Allocate first."));

    /// <inheritdoc/>
    public FreeMemory? FindFreeMemory() => Profile.IsHostMemory ? HostMemory.Free() : null;

    /// <inheritdoc/>
    public void Allocate(long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        _arena = _arena is null ? Zeros(bytes, _device) : throw new InvalidOperationException("The arena exists already.");
    }

    /// <inheritdoc/>
    public void AllocatePaged(long bytes)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        if (_pages is not null)
        {
            throw new InvalidOperationException("There is paged memory already.");
        }

        using TorchTensor pages = Zeros(bytes, torch.CPU);
        _pages = Profile.IsHostMemory ? pages.alias().DetachFromDisposeScope() : pages.pin_memory().DetachFromDisposeScope();
    }

    /// <inheritdoc/>
    public void BeginStep(in Step step)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        step.Check();
        _step = step;
    }

    /// <summary>The tensor of torch that has the handle's elements: a view of the arena, valid as long as the backend. The caller disposes it.</summary>
    /// <param name="tensor">A handle into the arena; of a quantized weight its <see cref="Tensor.Bytes"/>.</param>
    /// <exception cref="ArgumentException">The handle is none or reaches outside the arena.</exception>
    public TorchTensor View(Tensor tensor)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (tensor.IsNone || !tensor.Fits(AllocatedBytes))
        {
            throw new ArgumentException($"{tensor} is not inside the arena of {AllocatedBytes} bytes.");
        }

        return Typed(ScalarTypeOf(tensor.Type)).as_strided([tensor.Rows, tensor.Columns], [tensor.Stride, 1], tensor.Offset / tensor.Type.Size());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (TorchTensor tensor in _typed.Values.Concat(_tables.Values))
        {
            tensor.Dispose();
        }

        _typed.Clear();
        _tables.Clear();
        _arena?.Dispose();
        _pages?.Dispose();
        _kernels?.Dispose();
        (_arena, _pages, _disposed) = (null, null, true);
    }

    /// <summary>The whole arena as elements of another type. TorchSharp cannot reinterpret a tensor, but a tensor keeps its type when it takes another's memory.</summary>
    private TorchTensor Typed(torch.ScalarType type)
    {
        if (!_typed.TryGetValue(type, out TorchTensor? typed))
        {
            typed = torch.empty(0, dtype: type, device: _device).DetachFromDisposeScope();
            using TorchTensor bytes = Arena.narrow(0, 0, AllocatedBytes / typed.ElementSize);
            typed.set_(bytes);
            _typed.Add(type, typed);
        }

        return typed;
    }

    private static DType Checked(DType activation) => activation is DType.Float32 or DType.BFloat16
        ? activation
        : throw new ArgumentException($"Activations are Float32 or BFloat16, not {activation}.", nameof(activation));

    private static TorchTensor Zeros(long bytes, torch.Device device)
    {
        try
        {
            return torch.zeros(bytes, dtype: torch.ScalarType.Byte, device: device).DetachFromDisposeScope();
        }
        catch (System.Runtime.InteropServices.ExternalException e)
        {
            throw new OutOfMemoryException($"Torch refused {bytes:N0} bytes on {device}. Lower the batch, the sequence or the rank, or free memory.", e);
        }
    }

    private static torch.ScalarType ScalarTypeOf(DType type) => type switch
    {
        DType.Float32 => torch.ScalarType.Float32,
        DType.Float64 => torch.ScalarType.Float64,
        DType.BFloat16 => torch.ScalarType.BFloat16,
        DType.Int32 => torch.ScalarType.Int32,
        DType.UInt8 => torch.ScalarType.Byte,
        _ => throw new ArgumentException($"Elements of {type.Kind()} have no type of torch."),
    };
}
