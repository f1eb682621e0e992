using ManagedCuda;
using ManagedCuda.BasicTypes;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using CudaException = ModelCompiler.Cuda.CudaException;

namespace ModelCompiler.Torch;

/// <summary>
/// Starts kernels through ManagedCuda on the device's primary context, which is torch's too, in the default stream, which is torch's too: a kernel
/// runs after what torch was asked for before and before what it is asked for next.
/// </summary>
/// <remarks>ManagedCuda 12 is under the GNU GPL 3, or a commercial license.</remarks>
public sealed unsafe class ManagedCudaLauncher : IKernelLauncher, IDisposable
{
    // CU_LAUNCH_PARAM_END, CU_LAUNCH_PARAM_BUFFER_POINTER and CU_LAUNCH_PARAM_BUFFER_SIZE of cuda.h.
    private const nint End = 0;
    private const nint BufferPointer = 1;
    private const nint BufferSize = 2;

    private readonly PrimaryContext _context;

    /// <summary>Retains the primary context of a device.</summary>
    /// <param name="ordinal">Index among the visible devices.</param>
    /// <exception cref="ManagedCuda.CudaException">There is no such device.</exception>
    public ManagedCudaLauncher(int ordinal = 0) => _context = new PrimaryContext(ordinal);

    /// <inheritdoc/>
    /// <exception cref="CudaException">The driver refused the launch.</exception>
    public void Launch(nint function, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        geometry.Require();
        _context.SetCurrent();
        nint bytes = arguments.Length;
        fixed (byte* buffer = arguments)
        {
            CUResult result = DriverAPINativeMethods.Launch.cuLaunchKernel(
                new CUfunction { Pointer = function },
                (uint)geometry.GridX,
                (uint)geometry.GridY,
                (uint)geometry.GridZ,
                (uint)geometry.BlockX,
                (uint)geometry.BlockY,
                (uint)geometry.BlockZ,
                (uint)geometry.SharedBytes,
                default,
                null,
                [BufferPointer, (nint)buffer, BufferSize, (nint)(&bytes), End]);
            if (result != CUResult.Success)
            {
                throw new CudaException("cuLaunchKernel", result.ToString(), (int)result);
            }
        }
    }

    /// <summary>Waits for all work of the device.</summary>
    /// <exception cref="ManagedCuda.CudaException">Some of it failed.</exception>
    public void Synchronize()
    {
        _context.SetCurrent();
        _context.Synchronize();
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();
}
