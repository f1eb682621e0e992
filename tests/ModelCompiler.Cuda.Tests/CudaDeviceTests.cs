using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Mocks;

namespace ModelCompiler.Cuda.Tests;

/// <summary>What a user is told where CUDA cannot be used, and what is known of a device where it can.</summary>
public class CudaDeviceTests
{
    [Fact]
    public void WithoutDriver()
    {
        var driver = new MockDriver { IsPresent = false };
        string library = OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1 or libcuda.so";
        string expected = $"There is no NVIDIA driver on this machine: {library} cannot be loaded. Install the driver, or name the folder that has it in MODELCOMPILER_CUDA_PATH.";
        Assert.Equal(expected, Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(driver, 0)).Message);
        Assert.Equal(expected, Assert.Throws<CudaUnavailableException>(() => CudaDevice.All(driver)).Message);
        Assert.Empty(driver.Calls);
    }

    [Fact]
    public void WithoutDriverHere()
    {
        Assert.SkipWhen(NativeDriver.Instance.IsPresent, "This machine has an NVIDIA driver.");
        Assert.StartsWith("There is no NVIDIA driver on this machine: ", Assert.Throws<CudaUnavailableException>(() => CudaContext.Open()).Message);
    }

    [Fact]
    public void TheDriverHereAnswers()
    {
        Assert.SkipUnless(NativeDriver.Instance.IsPresent, "This machine has no NVIDIA driver.");
        try
        {
            CudaDevice device = CudaDevice.All()[0];
            Assert.True(device is { Major: > 0, Multiprocessors: > 0, MemoryBytes: > 0, Name: not "" }, device.ToString());
        }
        catch (CudaUnavailableException error)
        {
            Assert.Contains("driver", error.Message);
        }
    }

    [Fact]
    public void WithoutDevice()
    {
        const string Expected =
            "The NVIDIA driver is installed but sees no CUDA device. CUDA_VISIBLE_DEVICES may hide it, or a container may not have been given it.";
        var refusing = new MockDriver { Failing = { ["cuInit"] = 100 } };
        Assert.Equal(Expected, Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(refusing, 0)).Message);
        Assert.Equal(Expected, Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(new MockDriver { Devices = 0 }, 0)).Message);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(-1)]
    public void WithoutThatDevice(int ordinal) => Assert.Equal(
        $"There is no CUDA device {ordinal}: the driver sees 2, counted from 0.",
        Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(new MockDriver { Devices = 2 }, ordinal)).Message);

    [Fact]
    public void DeviceTooOld()
    {
        var driver = new MockDriver { Capability = (7, 5) };
        Assert.Equal(
            "Mock GPU has compute capability 7.5; the kernels need 8.0 (Ampere) or later.",
            Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(driver, 0)).Message);
        Assert.Equal("sm_75", CudaDevice.All(driver).Single().Architecture);
        Assert.Equal(0, driver.Live);
    }

    [Fact]
    public void DriverTooOld() => Assert.Equal(
        "The NVIDIA driver supports CUDA 11.8; 12.0 or later is needed. Install a newer driver.",
        Assert.Throws<CudaUnavailableException>(() => CudaContext.Open(new MockDriver { DriverVersion = 11_080 }, 0)).Message);

    [Fact]
    public void DescribesEveryDevice() => Assert.Equal(
        [new CudaDevice(0, "Mock GPU", 9, 0, 132, 80L << 30), new CudaDevice(1, "Mock GPU", 9, 0, 132, 80L << 30)],
        CudaDevice.All(new MockDriver { Devices = 2 }));

    [Theory]
    [InlineData("cuInit")]
    [InlineData("cuDriverGetVersion")]
    [InlineData("cuDeviceGetCount")]
    [InlineData("cuDeviceGet")]
    [InlineData("cuDeviceGetName")]
    [InlineData("cuDeviceTotalMem")]
    [InlineData("cuDeviceGetAttribute")]
    [InlineData("cuDevicePrimaryCtxRetain")]
    public void EveryFailureNamesCallAndError(string call)
    {
        var driver = new MockDriver { Failing = { [call] = 3 } };
        CudaException error = Assert.Throws<CudaException>(() => CudaContext.Open(driver, 0));
        Assert.Equal((call, "CUDA_ERROR_NOT_INITIALIZED", 3), (error.Call, error.Error, error.Code));
        Assert.Equal($"{call} failed: CUDA_ERROR_NOT_INITIALIZED (3).", error.Message);
        Assert.Equal(0, driver.Live);
    }
}
