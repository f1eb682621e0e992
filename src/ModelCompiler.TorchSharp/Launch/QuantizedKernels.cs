using System.Runtime.InteropServices;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

/// <summary>The kernels of ModelCompiler.Cuda that decode quantized weights, over memory of torch.</summary>
internal sealed partial class QuantizedKernels : IDisposable
{
    private readonly CudaContext _context;
    private readonly KernelLibrary _kernels;
    private readonly IKernelLauncher _launcher;
    private readonly KernelArguments _arguments = new();

    /// <param name="context">The primary context of the memory's device.</param>
    /// <param name="launcher">Starts kernels in the order of torch's own.</param>
    /// <exception cref="CudaUnavailableException">There is no compiler of kernels.</exception>
    public QuantizedKernels(CudaContext context, IKernelLauncher launcher)
    {
        (_context, _launcher) = (context, launcher);
        _kernels = new KernelLibrary(context, new KernelCompiler(new CubinCache(CubinCache.DefaultFolder)));
    }

    /// <summary>The kernels for a device of torch; null where this machine lacks what they need: torch's own operations then decode.</summary>
    public static QuantizedKernels? For(torch.Device device)
    {
        if (device.type != DeviceType.CUDA)
        {
            return null;
        }

        try
        {
            int ordinal = Math.Max(device.index, 0);
            return new QuantizedKernels(CudaContext.Open(ordinal), new ManagedCudaLauncher(ordinal));
        }
        catch (CudaUnavailableException)
        {
            return null;
        }
    }

    /// <summary>Decodes a whole weight.</summary>
    /// <param name="weight">The weight.</param>
    /// <param name="bytes">Device address of its bytes.</param>
    /// <param name="map">Device address of the values of the signed dynamic map.</param>
    /// <param name="values">Device address of room for as many values as it has elements, row after row.</param>
    /// <param name="type">Type of the values: Float32 or BFloat16.</param>
    public void Decode(Tensor weight, nint bytes, nint map, nint values, DType type)
    {
        string kernel = weight.Type.Kind() switch
        {
            DType.NF4 => "nf4_dequantize",
            DType.Int8 => "int8_dequantize",
            DType.Int4 => "int4_dequantize",
            _ => throw new NotSupportedException($"a GPU has no kernels for weights stored as {weight.Type.Kind()}"),
        };
        long threads = (weight.Count + CudaBackend.DecodedByThread - 1) / CudaBackend.DecodedByThread;
        var geometry = new LaunchGeometry(checked((int)((threads + CudaBackend.MaximumThreads - 1) / CudaBackend.MaximumThreads)), BlockX: CudaBackend.MaximumThreads);
        KernelArguments packed = _arguments.Clear().Add(new QuantizedWeight(weight, bytes, map)).Add(values);
        _launcher.Launch(_kernels.Function(kernel, new KernelTypes(type, DType.Float32)), geometry, packed.Bytes);
    }

    /// <summary>Where a tensor's elements lie, on its device.</summary>
    public static nint Address(TorchTensor tensor) => Data(tensor.Handle);

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernels.Dispose();
        (_launcher as IDisposable)?.Dispose();
        _context.Dispose();
    }

    /// <summary>TorchSharp's own name for a tensor's data pointer, which its managed surface shows of host memory only.</summary>
    [LibraryImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    private static partial nint Data(nint tensor);
}
