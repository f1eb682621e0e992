using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>One GPU as its driver describes it.</summary>
/// <param name="Ordinal">Index among the visible devices.</param>
/// <param name="Name">Product name.</param>
/// <param name="Major">Compute capability before the point.</param>
/// <param name="Minor">Compute capability after the point.</param>
/// <param name="Multiprocessors">Number of streaming multiprocessors.</param>
/// <param name="MemoryBytes">All memory of the device.</param>
public sealed record CudaDevice(int Ordinal, string Name, int Major, int Minor, int Multiprocessors, long MemoryBytes)
{
    /// <summary>The first compute capability with bfloat16 arithmetic and asynchronous copies: Ampere's.</summary>
    private const int LeastMajor = 8;

    /// <summary>The first CUDA release whose cubins NVRTC 12 and 13 both stay compatible with.</summary>
    private const int LeastDriver = 12_000;

    /// <summary>The device as a target of compilation: sm_80, sm_90.</summary>
    public string Architecture => $"sm_{Major}{Minor}";

    /// <summary>The devices that the driver sees, also those too old to be used.</summary>
    /// <exception cref="CudaUnavailableException">There is no driver, it is too old, or it sees no device.</exception>
    /// <exception cref="CudaException">The driver failed otherwise.</exception>
    public static IReadOnlyList<CudaDevice> All() => All(NativeDriver.Instance);

    internal static IReadOnlyList<CudaDevice> All(IDriver driver)
    {
        int count = Start(driver);
        return [.. Enumerable.Range(0, count).Select(ordinal => Describe(driver, ordinal).Device)];
    }

    /// <summary>The device to compute on and the driver's own number of it.</summary>
    /// <exception cref="CudaUnavailableException">There is no such device, or it is too old.</exception>
    internal static (CudaDevice Device, int Number) Choose(IDriver driver, int ordinal)
    {
        int count = Start(driver);
        if (ordinal < 0 || ordinal >= count)
        {
            throw new CudaUnavailableException($"There is no CUDA device {ordinal}: the driver sees {count}, counted from 0.");
        }

        (CudaDevice device, int number) = Describe(driver, ordinal);
        return device.Major >= LeastMajor
            ? (device, number)
            : throw new CudaUnavailableException(
                $"{device.Name} has compute capability {device.Major}.{device.Minor}; the kernels need {LeastMajor}.0 (Ampere) or later.");
    }

    /// <summary>Initializes the driver and counts its devices, at least one.</summary>
    private static int Start(IDriver driver)
    {
        if (!driver.IsPresent)
        {
            throw new CudaUnavailableException(
                "There is no NVIDIA driver on this machine: " + string.Join(" or ", LibraryNames.Files(LibraryNames.Driver, OperatingSystem.IsWindows()))
                + $" cannot be loaded. Install the driver, or name the folder that has it in {LibraryNames.FolderVariable}.");
        }

        int result = driver.Init();
        if (result == DriverResult.NoDevice)
        {
            throw NoDevice();
        }

        driver.Check(result, "cuInit");
        driver.Check(driver.DriverGetVersion(out int version), "cuDriverGetVersion");
        if (version < LeastDriver)
        {
            throw new CudaUnavailableException(
                $"The NVIDIA driver supports CUDA {version / 1000}.{version % 1000 / 10}; {LeastDriver / 1000}.0 or later is needed. Install a newer driver.");
        }

        driver.Check(driver.DeviceGetCount(out int count), "cuDeviceGetCount");
        return count > 0 ? count : throw NoDevice();
    }

    private static CudaUnavailableException NoDevice() =>
        new("The NVIDIA driver is installed but sees no CUDA device. CUDA_VISIBLE_DEVICES may hide it, or a container may not have been given it.");

    private static (CudaDevice Device, int Number) Describe(IDriver driver, int ordinal)
    {
        driver.Check(driver.DeviceGet(out int number, ordinal), "cuDeviceGet");
        driver.Check(driver.DeviceGetName(out string name, number), "cuDeviceGetName");
        driver.Check(driver.DeviceTotalMemory(out long bytes, number), "cuDeviceTotalMem");
        int Attribute(DeviceAttribute attribute)
        {
            driver.Check(driver.DeviceGetAttribute(out int value, attribute, number), "cuDeviceGetAttribute");
            return value;
        }

        var device = new CudaDevice(
            ordinal,
            name,
            Attribute(DeviceAttribute.ComputeCapabilityMajor),
            Attribute(DeviceAttribute.ComputeCapabilityMinor),
            Attribute(DeviceAttribute.MultiprocessorCount),
            bytes);
        return (device, number);
    }
}
