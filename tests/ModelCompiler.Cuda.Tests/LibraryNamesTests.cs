using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Tests;

/// <summary>The order in which libraries are looked for.</summary>
public class LibraryNamesTests
{
    [Fact]
    public void TheGivenFolderComesFirstThenTheSystemThenTheToolkit() => Assert.Equal(
        [
            "/given/libnvrtc.so.12", "/given/libnvrtc.so.13", "/given/libnvrtc.so",
            "/given/lib64/libnvrtc.so.12", "/given/lib64/libnvrtc.so.13", "/given/lib64/libnvrtc.so",
            "/given/lib/libnvrtc.so.12", "/given/lib/libnvrtc.so.13", "/given/lib/libnvrtc.so",
            "libnvrtc.so.12", "libnvrtc.so.13", "libnvrtc.so",
            "/toolkit/libnvrtc.so.12", "/toolkit/libnvrtc.so.13", "/toolkit/libnvrtc.so",
            "/toolkit/lib64/libnvrtc.so.12", "/toolkit/lib64/libnvrtc.so.13", "/toolkit/lib64/libnvrtc.so",
            "/toolkit/lib/libnvrtc.so.12", "/toolkit/lib/libnvrtc.so.13", "/toolkit/lib/libnvrtc.so",
        ],
        LibraryNames.Candidates(LibraryNames.Nvrtc, windows: false, "/given", "/toolkit").Select(path => path.Replace('\\', '/')));

    [Fact]
    public void WithoutVariablesTheSystemAndTheUsualFolderAreSearched()
    {
        Assert.Equal(["nvcuda.dll"], LibraryNames.Candidates(LibraryNames.Driver, windows: true, null, null));
        Assert.Equal(["cublasLt64_12.dll", "cublasLt64_13.dll"], LibraryNames.Candidates(LibraryNames.CublasLt, windows: true, "", null));
        string[] driver = [.. LibraryNames.Candidates(LibraryNames.Driver, windows: false, null, null)];
        Assert.Equal(["libcuda.so.1", "libcuda.so"], driver[..2]);
        Assert.All(driver[2..], path => Assert.StartsWith("/usr/local/cuda", path));
        Assert.Contains("nvrtc64_120_0.dll", LibraryNames.Files(LibraryNames.Nvrtc, windows: true));
    }

    [Fact]
    public void OnlyCudasLibrariesAreKnown() => Assert.Throws<ArgumentOutOfRangeException>(() => LibraryNames.Files("cudart", windows: false));
}
