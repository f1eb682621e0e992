using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Tests;

/// <summary>A real GPU with the libraries that the backend needs.</summary>
internal static class Gpu
{
    /// <summary>Why there is none; null where there is.</summary>
    public static string? WhyAbsent { get; } = Why();

    /// <summary>Skips the test where there is none.</summary>
    public static void Require()
    {
        if (WhyAbsent is string reason)
        {
            Assert.Skip(reason);
        }
    }

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
