using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Driver;

/// <summary>A cuBLASLt handle, bound to the device of a context.</summary>
public sealed class CublasLt : CudaResource
{
    private readonly IMatrixLibrary _library;

    private CublasLt(CudaContext context, IMatrixLibrary library, nint cublas)
        : base(context, cublas) => _library = library;

    /// <summary>Release as major · 10,000 + minor · 100 + patch.</summary>
    public long Version => _library.Version();

    /// <summary>Creates a handle.</summary>
    /// <exception cref="CudaUnavailableException">cuBLASLt is not installed.</exception>
    /// <exception cref="CudaException">It cannot use the device.</exception>
    public static CublasLt Create(CudaContext context) => Create(context, NativeCublasLt.Instance);

    internal static CublasLt Create(CudaContext context, IMatrixLibrary library)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (!library.IsPresent)
        {
            throw new CudaUnavailableException(
                "cuBLASLt is not on this machine: none of " + string.Join(", ", LibraryNames.Files(LibraryNames.CublasLt, OperatingSystem.IsWindows()))
                + $" can be loaded. Install the CUDA toolkit 12 or 13, or name its folder in {LibraryNames.FolderVariable}.");
        }

        context.MakeCurrent();
        int result = library.Create(out nint handle);
        return result == 0
            ? new CublasLt(context, library, handle)
            : throw new CudaException("cublasLtCreate", library.ErrorName(result), result);
    }

    /// <summary>cuBLASLt's handle, for a call that follows on this thread.</summary>
    internal nint Handle() => Use();

    private protected override int Free() => _library.Destroy(handle);
}
