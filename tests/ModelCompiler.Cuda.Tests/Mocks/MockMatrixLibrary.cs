using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Tests.Mocks;

/// <summary>A cuBLASLt that gives out one handle.</summary>
internal sealed class MockMatrixLibrary : IMatrixLibrary
{
    public bool IsPresent { get; init; } = true;

    public int CreateResult { get; init; }

    public List<nint> Destroyed { get; } = [];

    public string ErrorName(int error) => "CUBLAS_STATUS_NOT_INITIALIZED";

    public long Version() => 120_403;

    public int Create(out nint handle)
    {
        handle = 0x55;
        return CreateResult;
    }

    public int Destroy(nint handle)
    {
        Destroyed.Add(handle);
        return 0;
    }
}
