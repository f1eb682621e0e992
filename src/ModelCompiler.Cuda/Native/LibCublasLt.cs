using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>Entry points of cuBLASLt. Those that return an int return a cublasStatus_t, 0 for success.</summary>
internal static partial class LibCublasLt
{
    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtCreate")]
    public static partial int Create(out nint handle);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtGetVersion")]
    public static partial nuint GetVersion();

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtGetStatusName")]
    public static partial nint GetStatusName(int status);
}
