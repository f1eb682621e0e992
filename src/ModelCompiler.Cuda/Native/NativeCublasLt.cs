using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Native;

/// <summary>The installed cuBLASLt.</summary>
internal sealed unsafe class NativeCublasLt : IMatrixLibrary
{
    /// <summary>CUBLAS_COMPUTE_32F: products of bfloat16 or Float32, without TF32, added in Float32.</summary>
    private const int ComputeFloat32 = 68;

    public static NativeCublasLt Instance { get; } = new();

    public bool IsPresent => LibraryResolver.IsPresent(LibraryNames.CublasLt);

    public string ErrorName(int error) => Marshal.PtrToStringUTF8(LibCublasLt.GetStatusName(error))!;

    public long Version() => (long)LibCublasLt.GetVersion();

    public int Create(out nint handle) => LibCublasLt.Create(out handle);

    public int Destroy(nint handle) => LibCublasLt.Destroy(handle);

    public int DescriptorCreate(out nint descriptor) => LibCublasLt.DescriptorCreate(out descriptor, ComputeFloat32, (int)CudaDataType.Float32);

    public int DescriptorSet(nint descriptor, MatmulAttribute attribute, long value) =>
        LibCublasLt.DescriptorSet(descriptor, (int)attribute, &value, attribute == MatmulAttribute.BiasPointer ? 8u : 4u);

    public int DescriptorDestroy(nint descriptor) => LibCublasLt.DescriptorDestroy(descriptor);

    public int LayoutCreate(out nint layout, CudaDataType type, int rows, int columns, long leading) =>
        LibCublasLt.LayoutCreate(out layout, (int)type, (ulong)rows, (ulong)columns, leading);

    public int LayoutDestroy(nint layout) => LibCublasLt.LayoutDestroy(layout);

    public int PreferenceCreate(out nint preference) => LibCublasLt.PreferenceCreate(out preference);

    public int PreferenceSet(nint preference, PreferenceAttribute attribute, long value) =>
        LibCublasLt.PreferenceSet(preference, (int)attribute, &value, attribute == PreferenceAttribute.WorkspaceBytes ? 8u : 4u);

    public int PreferenceDestroy(nint preference) => LibCublasLt.PreferenceDestroy(preference);

    public int Heuristic(nint handle, nint descriptor, nint a, nint b, nint c, nint d, nint preference, out MatmulHeuristic found, out int count)
    {
        fixed (MatmulHeuristic* first = &found)
        {
            return LibCublasLt.Heuristic(handle, descriptor, a, b, c, d, preference, 1, first, out count);
        }
    }

    public int Matmul(in MatmulCall call, in MatmulAlgorithm algorithm)
    {
        (float alpha, float beta) = (call.Alpha, call.Beta);
        fixed (MatmulAlgorithm* chosen = &algorithm)
        {
            return LibCublasLt.Matmul(
                call.Handle, call.Descriptor, &alpha, call.A, call.LayoutA, call.B, call.LayoutB, &beta,
                call.C, call.LayoutC, call.D, call.LayoutD, chosen, call.Workspace, (nuint)call.WorkspaceBytes, call.Stream);
        }
    }
}
