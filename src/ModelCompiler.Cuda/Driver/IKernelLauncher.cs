using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>
/// Starts kernels, in order, on a stream of its own choice: the seam between a backend and the library that reaches the driver. Functions and
/// addresses are the driver's own, so that an implementation over another CUDA library shares the device's primary context.
/// </summary>
public interface IKernelLauncher
{
    /// <summary>Starts a kernel and may return before it is done.</summary>
    /// <param name="function">A CUfunction of a loaded module.</param>
    /// <param name="geometry">Blocks and threads.</param>
    /// <param name="arguments">The arguments packed as a kernel declares them: cuLaunchKernel's CU_LAUNCH_PARAM_BUFFER_POINTER.</param>
    void Launch(nint function, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments);
}
