using System.Text.RegularExpressions;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Kernels;

/// <summary>Every kernel compiles to PTX, for both generations of devices and all element types, into code that calls nothing and spills nothing.</summary>
public sealed partial class PtxTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;

    public static TheoryData<string> Operations => [.. KernelSource.Operations];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [ClangTheory]
    [MemberData(nameof(Operations))]
    public void CompilesForEveryDeviceAndType(string operation)
    {
        KernelSource source = KernelSource.Embedded(operation);
        string[] kernels = [.. KernelNames().Matches(source.Text).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(kernels);
        foreach ((string architecture, DType activation, DType weight) in (ReadOnlySpan<(string, DType, DType)>)
        [
            ("sm_80", DType.Float32, DType.BFloat16),
            ("sm_90", DType.BFloat16, DType.Float32),
        ])
        {
            string ptx = Compile(source, architecture, new KernelTypes(activation, weight));
            Assert.Contains($".target {architecture}", ptx);
            Assert.All(kernels, kernel => Assert.Contains($".visible .entry {kernel}(", ptx));
            Assert.DoesNotContain("call", ptx);
            Assert.DoesNotContain(".extern", ptx);
            Assert.DoesNotContain(".local", ptx);
        }
    }

    /// <summary>Rows move 16 bytes a thread: four words in one instruction, both ways.</summary>
    [ClangTheory]
    [InlineData("add")]
    [InlineData("swiglu")]
    [InlineData("rms_norm")]
    [InlineData("rotary")]
    public void AlignedRowsMoveInWholeVectors(string operation)
    {
        string ptx = Compile(KernelSource.Embedded(operation), "sm_80", new KernelTypes(DType.BFloat16, DType.BFloat16));
        Assert.Matches(@"ld\.global(\.nc)?\.v4\.[bu]32", ptx);
        Assert.Matches(@"st\.global\.v4\.[bu]32", ptx);
    }

    /// <summary>NVRTC gets no folder to look for headers in.</summary>
    [Theory]
    [MemberData(nameof(Operations))]
    public void OnlyItsOwnHeadersAreIncluded(string operation)
    {
        KernelSource source = KernelSource.Embedded(operation);
        IEnumerable<string> included = source.Headers.Select(header => header.Text).Append(source.Text)
            .SelectMany(text => Includes().Matches(text)).Select(match => match.Groups[1].Value);
        Assert.All(included, name => Assert.Contains(source.Headers, header => $"\"{header.Name}\"" == name));
    }

    [Fact]
    public void AnUnknownOperationHasNoSource() => Assert.Throws<ArgumentException>(() => KernelSource.Embedded("nothing"));

    private string Compile(KernelSource source, string architecture, KernelTypes types)
    {
        foreach (KernelHeader header in source.Headers)
        {
            File.WriteAllText(Path.Combine(folder, header.Name), header.Text);
        }

        File.WriteAllText(Path.Combine(folder, source.Name), source.Text);

        // Like NVRTC, which inlines whatever it can: a call would put arrays into memory.
        Clang.Run(
            folder,
            ["-mllvm", "-inline-threshold=100000", "-x", "cuda", "--cuda-device-only", "-nocudainc", "-nocudalib", "-S", "-O3", $"--cuda-gpu-arch={architecture}", "--cuda-feature=+ptx80",
                .. types.Definitions, source.Name, "-o", "kernel.ptx"]);
        return File.ReadAllText(Path.Combine(folder, "kernel.ptx"));
    }

    [GeneratedRegex(@"^KERNEL (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex KernelNames();

    [GeneratedRegex(@"^#include (.*)$", RegexOptions.Multiline)]
    private static partial Regex Includes();
}
