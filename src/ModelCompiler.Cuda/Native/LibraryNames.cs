using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Native;

/// <summary>Where CUDA's libraries may be, in the order in which they are tried.</summary>
internal static class LibraryNames
{
    /// <summary>The driver, installed with the graphics driver.</summary>
    public const string Driver = "cuda";

    /// <summary>The run-time compiler, of the toolkit.</summary>
    public const string Nvrtc = "nvrtc";

    /// <summary>Matrix products, of the toolkit.</summary>
    public const string CublasLt = "cublasLt";

    /// <summary>The environment variable with the folder that is searched first: a toolkit's, or one that has the libraries themselves.</summary>
    public const string FolderVariable = "MODELCOMPILER_CUDA_PATH";

    /// <summary>The toolkit installer's own variable, searched last.</summary>
    public const string ToolkitVariable = "CUDA_PATH";

    /// <summary>
    /// File names of a library. Release 12 comes before 13: what it compiles runs under drivers of both, and not the other way round.
    /// </summary>
    public static string[] Files(string library, bool windows) => (library, windows) switch
    {
        (Driver, false) => ["libcuda.so.1", "libcuda.so"],
        (Driver, true) => ["nvcuda.dll"],
        (Nvrtc, false) => ["libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so"],
        (Nvrtc, true) => ["nvrtc64_120_0.dll", "nvrtc64_130_0.dll"],
        (CublasLt, false) => ["libcublasLt.so.12", "libcublasLt.so.13", "libcublasLt.so"],
        (CublasLt, true) => ["cublasLt64_12.dll", "cublasLt64_13.dll"],
        _ => throw new ArgumentOutOfRangeException(nameof(library), library, "Not a library of CUDA."),
    };

    /// <summary>Everything to try: the given folder and those below it that a toolkit has, then the system's own search, then the toolkit's folder.</summary>
    /// <param name="library">One of the constants above.</param>
    /// <param name="windows">Whether the names are Windows'.</param>
    /// <param name="folder">Value of <see cref="FolderVariable"/>.</param>
    /// <param name="toolkit">Value of <see cref="ToolkitVariable"/>.</param>
    public static IEnumerable<string> Candidates(string library, bool windows, string? folder, string? toolkit)
    {
        string[] files = Files(library, windows);
        string[] folders = windows ? ["", "bin", "bin/x64"] : ["", "lib64", "lib"];
        IEnumerable<string> Below(string? root) => string.IsNullOrEmpty(root)
            ? []
            : folders.SelectMany(sub => files.Select(file => Path.Combine(root, sub, file)));
        return [.. Below(folder), .. files, .. Below(toolkit ?? (windows ? null : "/usr/local/cuda"))];
    }
}
