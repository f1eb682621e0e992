using System.Runtime.CompilerServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>cuBLASLt's entry points as this library calls them; those that return an int return a cublasStatus_t.</summary>
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

    /// <summary>A description of products that compute and scale in float.</summary>
    int DescriptorCreate(out nint descriptor);

    int DescriptorSet(nint descriptor, MatmulAttribute attribute, long value);

    int DescriptorDestroy(nint descriptor);

    /// <summary>A column-major matrix.</summary>
    int LayoutCreate(out nint layout, CudaDataType type, int rows, int columns, long leading);

    int LayoutDestroy(nint layout);

    int PreferenceCreate(out nint preference);

    int PreferenceSet(nint preference, PreferenceAttribute attribute, long value);

    int PreferenceDestroy(nint preference);

    /// <summary>The algorithm that the library thinks the fastest; none where the count is 0.</summary>
    int Heuristic(nint handle, nint descriptor, nint a, nint b, nint c, nint d, nint preference, out MatmulHeuristic found, out int count);

    /// <summary>d = alpha · op(a) op(b) + beta · c, with what the descriptor adds.</summary>
    int Matmul(in MatmulCall call, in MatmulAlgorithm algorithm);
}

/// <summary>cudaDataType_t.</summary>
internal enum CudaDataType
{
    Float32 = 0,
    BFloat16 = 14,
}

/// <summary>cublasLtMatmulDescAttributes_t. All values that are set are of 32 bits but the pointer.</summary>
internal enum MatmulAttribute
{
    TransposeA = 3,
    TransposeB = 4,
    Epilogue = 7,
    BiasPointer = 8,
}

/// <summary>cublasLtEpilogue_t.</summary>
internal enum MatmulEpilogue
{
    /// <summary>A vector that is added to every column of the result.</summary>
    Bias = 4,
}

/// <summary>cublasLtMatmulPreferenceAttributes_t. The workspace's value is of 64 bits, the others of 32.</summary>
internal enum PreferenceAttribute
{
    WorkspaceBytes = 1,
    AlignmentOfA = 5,
    AlignmentOfB = 6,
    AlignmentOfC = 7,
    AlignmentOfD = 8,
}

/// <summary>cublasLtMatmulAlgo_t, opaque.</summary>
[InlineArray(8)]
internal struct MatmulAlgorithm
{
    private ulong _first;
}

/// <summary>cublasLtMatmulHeuristicResult_t.</summary>
internal struct MatmulHeuristic
{
    public MatmulAlgorithm Algorithm;
    public nuint WorkspaceBytes;
    public int State;
    public float Waves;
    public Reserved Unused;

    [InlineArray(4)]
    public struct Reserved
    {
        private int _first;
    }
}

/// <summary>Arguments of one product.</summary>
internal readonly record struct MatmulCall(
    nint Handle,
    nint Descriptor,
    float Alpha,
    nint A,
    nint LayoutA,
    nint B,
    nint LayoutB,
    float Beta,
    nint C,
    nint LayoutC,
    nint D,
    nint LayoutD,
    nint Workspace,
    long WorkspaceBytes,
    nint Stream);
