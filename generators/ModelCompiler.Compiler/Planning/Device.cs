namespace ModelCompiler.Planning;

/// <summary>What memory can be planned for at build time; each has its profile in <see cref="Devices"/>.</summary>
public enum Device
{
    /// <summary>The machine's own memory, on the embedded CPU backend.</summary>
    Cpu,

    /// <summary>An NVIDIA GPU's memory, activations in bfloat16.</summary>
    Cuda,
}

/// <summary>The profiles of devices.</summary>
public static class Devices
{
    /// <summary>The most threads that a plan may have.</summary>
    public const int MaximumThreads = 1024;

    /// <summary>The profile of a device.</summary>
    /// <param name="device">The device.</param>
    /// <param name="threads">Threads that compute, where the device's backend has threads of the host.</param>
    /// <exception cref="ArgumentOutOfRangeException">The device is not a member of the enumeration.</exception>
    public static BackendProfile Profile(this Device device, int threads) => device switch
    {
        Device.Cpu => BackendProfile.Cpu(threads),
        Device.Cuda => BackendProfile.Cuda(DType.BFloat16),
        _ => throw new ArgumentOutOfRangeException(nameof(device), device, "no such device"),
    };
}
