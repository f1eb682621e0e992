using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Tests;
using ModelCompiler.Cuda.Tests.Emulation;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

/// <summary>The GPU in Float32: emulated, and a real one where there is one.</summary>
public sealed class ModelBackends : ITestedBackends
{
    private const string Emulated = "emulated";
    private const string Device = "device";

    /// <summary>The GPU in Float32: emulated, and a real one where there is one.</summary>
    public static TheoryData<string> Names => [Emulated, .. Gpu.WhyAbsent is null ? new[] { Device } : []];

    /// <summary>Creates a backend by name; those of the CPU to compare with. Skips the test where it cannot be emulated.</summary>
    public static IBackend Create(string name)
    {
        if (name == Emulated)
        {
            HostClang.Require();
            return new EmulatedGpu(DType.Float32).Backend;
        }

        return name == Device
            ? CudaBackend.Open(DType.Float32)
            : new CpuBackend(int.Parse(name["cpu-".Length..], System.Globalization.CultureInfo.InvariantCulture));
    }
}
