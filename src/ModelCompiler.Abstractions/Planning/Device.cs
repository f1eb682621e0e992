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
    private static readonly Device[] s_all = [Device.Cpu, Device.Cuda];

    /// <summary>The most threads that a plan may have.</summary>
    public const int MaximumThreads = 1024;

    /// <summary>The device that has a profile; null where it is of a backend that no budget is for, such as one to compare with.</summary>
    public static Device? Of(BackendProfile profile)
    {
        foreach (Device device in s_all)
        {
            if (device.Profile(profile.Threads) == profile)
            {
                return device;
            }
        }

        return null;
    }

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
