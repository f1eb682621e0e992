using System.Diagnostics;
using System.Text;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Tests.Mocks;
using ModelCompiler.Files;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Compilation;

/// <summary>Compilation with a cache: what is compiled again and what is not, and what a failure says.</summary>
public sealed class CubinCacheTests : IDisposable
{
    private static readonly KernelTypes Single = new(DType.Float32, DType.Float32);
    private static readonly KernelSource Source = new("add.cu", "void add();", [new KernelHeader("types.cuh", "typedef float real;")]);

    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;
    private readonly MockCompiler nvrtc = new();

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void OptionsSayTypesAndArchitecture() => Assert.Equal(
        "void add(); --std=c++17 --fmad=false -default-device -DACTIVATION_IS_BF16=1 -DWEIGHT_IS_BF16=0 --gpu-architecture=sm_90",
        Encoding.UTF8.GetString(Compile(Source, new KernelTypes(DType.BFloat16, DType.Float32), "sm_90")));

    [Fact]
    public void AnotherProcessTakesTheKeptCubin()
    {
        byte[] compiled = Compile(Source, Single, "sm_80");
        byte[] kept = Compile(Source, Single, "sm_80");
        Assert.Equal(compiled, kept);
        Assert.Equal((1, 0), (nvrtc.Compilations, nvrtc.Programs));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public void WhateverACubinIsMadeOfIsInItsKey()
    {
        Compile(Source, Single, "sm_80");
        Compile(Source, Single, "sm_90");
        Compile(Source, new KernelTypes(DType.Float32, DType.BFloat16), "sm_80");
        Compile(Source with { Text = "void add() {}" }, Single, "sm_80");
        Compile(Source with { Headers = [new KernelHeader("types.cuh", "typedef bf16 real;")] }, Single, "sm_80");
        Assert.Equal(5, nvrtc.Compilations);
        var newer = new MockCompiler { Minor = 5 };
        new KernelCompiler(newer, new CubinCache(folder)).Compile(Source, Single, "sm_80");
        Assert.Equal(1, newer.Compilations);
        Assert.Equal(6, Directory.GetFiles(folder).Length);
    }

    [Fact]
    public void WhereOnePartEndsMatters()
    {
        KernelSource one = new("a", "bc", []);
        KernelSource other = new("ab", "c", []);
        Assert.NotEqual(CubinCache.Key(one, [], 12, 4), CubinCache.Key(other, [], 12, 4));
        Assert.NotEqual(CubinCache.Key(one, ["x", "y"], 12, 4), CubinCache.Key(one, ["xy"], 12, 4));
    }

    [Theory]
    [InlineData("bit")]
    [InlineData("short")]
    [InlineData("empty")]
    [InlineData("longer")]
    [InlineData("magic")]
    public void ADamagedEntryIsCompiledAgain(string damage)
    {
        byte[] whole = Compile(Source, Single, "sm_80");
        string path = Assert.Single(Directory.GetFiles(folder));
        byte[] entry = File.ReadAllBytes(path);
        byte[] Changed(int at)
        {
            byte[] changed = [.. entry];
            changed[at] ^= 1;
            return changed;
        }

        File.WriteAllBytes(path, damage switch
        {
            "bit" => Changed(entry.Length - 1),
            "short" => entry[..^1],
            "empty" => [],
            "longer" => [.. entry, 0],
            _ => Changed(0),
        });
        Assert.Equal(whole, Compile(Source, Single, "sm_80"));
        Assert.Equal(2, nvrtc.Compilations);
        Assert.Equal(entry, File.ReadAllBytes(path));
    }

    [Fact]
    public void AnEntryUnderAnothersNameIsCompiledAgain()
    {
        Compile(Source, Single, "sm_80");
        string other = Assert.Single(Directory.GetFiles(folder));
        byte[] whole = Compile(Source, Single, "sm_90");
        string path = Directory.GetFiles(folder).Single(file => file != other);
        File.Copy(other, path, overwrite: true);
        Assert.Equal(whole, Compile(Source, Single, "sm_90"));
        Assert.Equal(3, nvrtc.Compilations);
    }

    [Fact]
    public void TheFolderIsTheUsersOwn()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Assert.True(FileOwner.IsUser(folder));
        Assert.False(FileOwner.IsUser(Path.Combine(folder, "missing")));
        string others = Environment.UserName == "root" ? Others() : "/";
        Assert.False(FileOwner.IsUser(others));
        Assert.False(PrivateFolder.Is(others));

        string Others()
        {
            string made = Directory.CreateDirectory(Path.Combine(folder, "others")).FullName;
            using Process change = Process.Start("chown", ["65534", made]);
            change.WaitForExit();
            return made;
        }
    }

    [Fact]
    public void AFolderThatCannotBeWrittenOnlyCostsTime()
    {
        string file = Path.Combine(folder, "file");
        File.WriteAllText(file, "");
        var compiler = new KernelCompiler(nvrtc, new CubinCache(Path.Combine(file, "below")));
        Assert.Equal(compiler.Compile(Source, Single, "sm_80"), compiler.Compile(Source, Single, "sm_80"));
        Assert.Equal(2, nvrtc.Compilations);
    }

    [Fact]
    public void WithoutAFolderNothingIsKept()
    {
        var compiler = new KernelCompiler(nvrtc, new CubinCache(null));
        Assert.Equal(compiler.Compile(Source, Single, "sm_80"), compiler.Compile(Source, Single, "sm_80"));
        Assert.Equal(2, nvrtc.Compilations);
    }

    [Fact]
    public void AFolderIsMadeForItsUserAloneAndOneThatOthersWriteIsNotUsed()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string cubins = Path.Combine(folder, "cubins");
        var compiler = new KernelCompiler(nvrtc, new CubinCache(cubins));
        compiler.Compile(Source, Single, "sm_80");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(cubins));
        compiler.Compile(Source, Single, "sm_80");
        Assert.Equal(1, nvrtc.Compilations);

        File.SetUnixFileMode(cubins, File.GetUnixFileMode(cubins) | UnixFileMode.GroupWrite);
        compiler.Compile(Source, Single, "sm_80");
        Assert.Equal(2, nvrtc.Compilations);
    }

    [Fact]
    public void ASourceThatDoesNotCompileBringsTheCompilersMessage()
    {
        nvrtc.Failing["nvrtcCompileProgram"] = 6;
        CudaException error = Assert.Throws<CudaException>(() => Compile(Source, Single, "sm_80"));
        Assert.Equal("nvrtcCompileProgram(add.cu) failed: NVRTC_ERROR_COMPILATION (6).\nkernel.cu(3): error: identifier \"flaot\" is undefined", error.Message);
        Assert.Equal(0, nvrtc.Programs);
        Assert.Empty(Directory.GetFiles(folder));
    }

    [Theory]
    [InlineData("nvrtcVersion")]
    [InlineData("nvrtcCreateProgram")]
    [InlineData("nvrtcGetCUBIN")]
    public void OtherFailuresNameTheirCall(string call)
    {
        nvrtc.Failing[call] = 11;
        Assert.Equal($"{call} failed: NVRTC_ERROR_INTERNAL_ERROR (11).", Assert.Throws<CudaException>(() => Compile(Source, Single, "sm_80")).Message);
        Assert.Equal(0, nvrtc.Programs);
    }

    [Fact]
    public void WithoutNvrtc() => Assert.StartsWith(
        "CUDA's run-time compiler is not on this machine: none of ",
        Assert.Throws<CudaUnavailableException>(() => new KernelCompiler(new MockCompiler { IsPresent = false }, new CubinCache(folder))).Message);

    [Fact]
    public void OnlyFloatsAreElementTypes() =>
        Assert.Throws<ArgumentException>(() => new KernelTypes(DType.Float64, DType.Float32).Definitions);

    /// <summary>Each time a new compiler over the same folder, as another process would have.</summary>
    private byte[] Compile(KernelSource source, KernelTypes types, string architecture) =>
        new KernelCompiler(nvrtc, new CubinCache(folder)).Compile(source, types, architecture);
}
