namespace ModelCompiler.Planning;

/// <summary>How fast a device computes and moves, as pure data: enough to say which of two plans takes longer.</summary>
/// <param name="FlopsPerSecond">Floating-point operations a second of a large product.</param>
/// <param name="BytesPerSecond">Bytes a second between the device's memory and its kernels.</param>
/// <param name="HostBytesPerSecond">Bytes a second between the device's memory and the host's, where moments are paged to.</param>
public sealed record DeviceRates(double FlopsPerSecond, double BytesPerSecond, double HostBytesPerSecond)
{
    /// <summary>
    /// Where nobody measured: per thread 75 GFLOP/s, what a training step reaches on cores of today with AVX2 or half-width AVX-512, and 15 GB/s,
    /// up to 60. For a GPU 60 % of an A100's data sheet, 312 TFLOP/s in bfloat16, 19.5 in Float32 and 2 TB/s, and 20 GB/s to the host.
    /// </summary>
    public static DeviceRates For(BackendProfile profile)
    {
        if (!profile.IsHostMemory)
        {
            return new DeviceRates(profile.Activation == DType.BFloat16 ? 187e12 : 12e12, 1.2e12, 20e9);
        }

        double bytes = 15e9 * Math.Min(profile.Threads, 4);
        return new DeviceRates(75e9 * profile.Threads, bytes, bytes);
    }
}
