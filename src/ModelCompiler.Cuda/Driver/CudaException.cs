using System.Diagnostics.CodeAnalysis;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>A call into CUDA's libraries that failed.</summary>
public sealed class CudaException : Exception
{
    internal CudaException(string call, string error, int code, string? detail = null)
        : base($"{call} failed: {error} ({code}).{(string.IsNullOrWhiteSpace(detail) ? "" : $"\n{detail.TrimEnd()}")}")
    {
        Call = call;
        Error = error;
        Code = code;
    }

    /// <summary>The entry point, such as cuMemAlloc.</summary>
    public string Call { get; }

    /// <summary>CUDA's name of the error, such as CUDA_ERROR_OUT_OF_MEMORY.</summary>
    public string Error { get; }

    /// <summary>Its number.</summary>
    public int Code { get; }
}

/// <summary>CUDA cannot be used on this machine: what is missing is the message.</summary>
public sealed class CudaUnavailableException : ModelCompilerException
{
    internal CudaUnavailableException(string message)
        : base(message)
    {
    }
}

/// <summary>The driver's return codes as exceptions.</summary>
internal static class DriverResult
{
    public const int NoDevice = 100;

    public static void Check(this IDriver driver, int result, string call)
    {
        if (result != 0)
        {
            Throw(driver, result, call);
        }
    }

    [DoesNotReturn]
    private static void Throw(IDriver driver, int result, string call) => throw new CudaException(call, driver.ErrorName(result), result);
}
