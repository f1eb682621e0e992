using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Kernels;

/// <summary>Every kernel compiles with the compiler that users have, for devices of two generations. No GPU is needed for that.</summary>
public sealed class NvrtcTests : IDisposable
{
    private const int HeadWidth = 64;

    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;

    public static TheoryData<string> Operations => [.. KernelSource.Operations];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Operations))]
    public void Compiles(string operation)
    {
        Assert.SkipUnless(
            Nvrtc.Instance.IsPresent,
            $"CUDA's run-time compiler is not here: install the toolkit, or name its folder in {LibraryNames.FolderVariable}.");
        var compiler = new KernelCompiler(new CubinCache(folder));
        foreach (string architecture in (string[])["sm_80", "sm_90"])
        {
            foreach ((DType activation, DType weight) in (ReadOnlySpan<(DType, DType)>)[(DType.BFloat16, DType.Float32), (DType.Float32, DType.BFloat16)])
            {
                byte[] cubin = compiler.Compile(KernelSource.Embedded(operation), new KernelTypes(activation, weight, HeadWidth), architecture);
                Assert.Equal([0x7F, (byte)'E', (byte)'L', (byte)'F'], cubin[..4]);
            }
        }
    }
}
