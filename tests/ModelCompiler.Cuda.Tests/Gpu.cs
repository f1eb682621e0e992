namespace ModelCompiler.Cuda.Tests;

/// <summary>A real GPU with the libraries that the backend needs.</summary>
internal static class Gpu
{
    /// <summary>Why there is none; null where there is.</summary>
    public static string? WhyAbsent { get; } = Why();

    private static string? Why()
    {
        try
        {
            using CudaBackend backend = CudaBackend.Open();
            return null;
        }
        catch (CudaUnavailableException missing)
        {
            return missing.Message;
        }
    }
}

/// <summary>A test on a real GPU; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GpuFactAttribute : FactAttribute
{
    public GpuFactAttribute() => Skip = Gpu.WhyAbsent;
}

/// <summary>A theory on a real GPU; skipped where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class GpuTheoryAttribute : TheoryAttribute
{
    public GpuTheoryAttribute() => Skip = Gpu.WhyAbsent;
}
