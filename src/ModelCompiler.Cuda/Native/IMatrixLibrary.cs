using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>cuBLASLt's entry points as this library calls them.</summary>
internal interface IMatrixLibrary
{
    /// <summary>Whether the library can be loaded. Nothing else may be called where it cannot.</summary>
    bool IsPresent { get; }

    /// <summary>The name of a cublasStatus_t, such as CUBLAS_STATUS_NOT_INITIALIZED.</summary>
    string ErrorName(int error);

    /// <summary>Release as major · 10,000 + minor · 100 + patch.</summary>
    long Version();

    int Create(out nint handle);

    int Destroy(nint handle);
}

/// <summary>The installed cuBLASLt.</summary>
internal sealed class NativeCublasLt : IMatrixLibrary
{
    public static NativeCublasLt Instance { get; } = new();

    public bool IsPresent => LibraryResolver.IsPresent(LibraryNames.CublasLt);

    public string ErrorName(int error) => Marshal.PtrToStringUTF8(LibCublasLt.GetStatusName(error))!;

    public long Version() => (long)LibCublasLt.GetVersion();

    public int Create(out nint handle) => LibCublasLt.Create(out handle);

    public int Destroy(nint handle) => LibCublasLt.Destroy(handle);
}
