using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Native;

/// <summary>Entry points of cuBLASLt. Those that return an int return a cublasStatus_t, 0 for success.</summary>
internal static unsafe partial class LibCublasLt
{
    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtCreate")]
    public static partial int Create(out nint handle);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtDestroy")]
    public static partial int Destroy(nint handle);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtGetVersion")]
    public static partial nuint GetVersion();

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtGetStatusName")]
    public static partial nint GetStatusName(int status);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulDescCreate")]
    public static partial int DescriptorCreate(out nint descriptor, int computeType, int scaleType);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulDescSetAttribute")]
    public static partial int DescriptorSet(nint descriptor, int attribute, void* value, nuint bytes);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulDescDestroy")]
    public static partial int DescriptorDestroy(nint descriptor);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatrixLayoutCreate")]
    public static partial int LayoutCreate(out nint layout, int type, ulong rows, ulong columns, long leading);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatrixLayoutDestroy")]
    public static partial int LayoutDestroy(nint layout);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulPreferenceCreate")]
    public static partial int PreferenceCreate(out nint preference);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulPreferenceSetAttribute")]
    public static partial int PreferenceSet(nint preference, int attribute, void* value, nuint bytes);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulPreferenceDestroy")]
    public static partial int PreferenceDestroy(nint preference);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmulAlgoGetHeuristic")]
    public static partial int Heuristic(
        nint handle, nint descriptor, nint a, nint b, nint c, nint d, nint preference, int requested, MatmulHeuristic* found, out int count);

    [LibraryImport(LibraryNames.CublasLt, EntryPoint = "cublasLtMatmul")]
    public static partial int Matmul(
        nint handle, nint descriptor, float* alpha, nint a, nint layoutA, nint b, nint layoutB, float* beta,
        nint c, nint layoutC, nint d, nint layoutD, MatmulAlgorithm* algorithm, nint workspace, nuint workspaceBytes, nint stream);
}
