using ModelCompiler.Backends;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Tests;
using ModelCompiler.Cuda.Tests.Emulation;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;

namespace ModelCompiler.Tests.Models;

internal static partial class ModelRun
{
    private const string Emulated = "emulated";

    /// <summary>The GPU in Float32: emulated where Clang is, and a real one where there is one.</summary>
    public static TheoryData<string> Backends =>
        [.. HostClang.WhyAbsent is null ? new[] { Emulated } : [], .. Gpu.WhyAbsent is null ? new[] { "device" } : []];

    /// <summary>Why there is neither; null where one is.</summary>
    public static string? WhyNoBackend => HostClang.WhyAbsent is null || Gpu.WhyAbsent is null ? null : $"{HostClang.WhyAbsent} {Gpu.WhyAbsent}";

    /// <summary>Creates a backend by name.</summary>
    public static IBackend Backend(string name) => name == Emulated ? new EmulatedGpu(DType.Float32).Backend : CudaBackend.Open(DType.Float32);
}
