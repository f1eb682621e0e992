using System.Globalization;
using System.Text.RegularExpressions;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Kernels;

/// <summary>Every kernel compiles to PTX, for both generations of devices and all element types, into code that calls nothing and spills nothing.</summary>
public sealed partial class PtxTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;

    public static TheoryData<string> Operations => [.. KernelSource.Operations];

    /// <summary>Operations whose kernels are compiled for a width of heads.</summary>
    public static TheoryData<string, int> Heads
    {
        get
        {
            var data = new TheoryData<string, int>();
            foreach (string operation in (string[])["attention", "attention_gradient"])
            {
                foreach (int width in (int[])[64, 80, 128, 256])
                {
                    data.Add(operation, width);
                }
            }

            return data;
        }
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [MemberData(nameof(Operations))]
    public void CompilesForEveryDeviceAndType(string operation)
    {
        Clang.Require();
        KernelSource source = KernelSource.Embedded(operation);
        string[] kernels = [.. KernelNames().Matches(source.Text).Select(match => match.Groups[1].Value)];
        Assert.NotEmpty(kernels);
        foreach ((string architecture, DType activation, DType weight) in (ReadOnlySpan<(string, DType, DType)>)
        [
            ("sm_80", DType.Float32, DType.BFloat16),
            ("sm_90", DType.BFloat16, DType.Float32),
        ])
        {
            string ptx = Compile(source, architecture, new KernelTypes(activation, weight, HeadWidth));
            Assert.Contains($".target {architecture}", ptx);
            Assert.All(kernels, kernel => Assert.Contains($".visible .entry {kernel}(", ptx));
            Assert.DoesNotContain("call", ptx);
            Assert.DoesNotContain(".extern", ptx);
            Assert.DoesNotContain(".local", ptx);
        }
    }

    /// <summary>Of every width; a block's tiles are those that the launch counts on, in the memory that a kernel can declare.</summary>
    [Theory]
    [MemberData(nameof(Heads))]
    public void AttentionFitsHeadsOfEveryWidth(string operation, int width)
    {
        Clang.Require();
        foreach (DType type in (ReadOnlySpan<DType>)[DType.Float32, DType.BFloat16])
        {
            string ptx = Compile(KernelSource.Embedded(operation), "sm_80", new KernelTypes(type, type, width));
            Assert.DoesNotContain("call", ptx);
            Assert.DoesNotContain(".local", ptx);
            bool gradient = operation == "attention_gradient";
            AttentionTiles tiles = gradient ? AttentionTiles.Gradient(type, width) : AttentionTiles.Forward(type, width);
            var shared = SharedArrays().Matches(ptx).ToLookup(match => match.Groups[1].Value, match => int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture));
            int own = shared["queries"].Max();
            Assert.Equal(0, own % tiles.Rows);
            Assert.InRange(own / tiles.Rows, width * type.Size(), width * type.Size() + 47);
            Assert.InRange(own * (gradient ? 2 : 1) + shared["keys"].Min() + shared["values"].Min(), own + 1, 48 << 10);
            Assert.Equal(type == DType.BFloat16, ptx.Contains("mma.sync"));
            if (type == DType.BFloat16)
            {
                Assert.All(PtxRegisters.MostLive(ptx), kernel => Assert.InRange(kernel.Value, 1, PtxRegisters.OfThread));
            }
        }
    }

    /// <summary>Before the first sum an address of 64 bits, which the next turn needs, the sum, and both elements.</summary>
    [Fact]
    public void LiveRegistersAreCountedAroundLoops()
    {
        const string Ptx = """
            .visible .entry sum(
            	.param .u64 sum_param_0
            )
            .maxntid 256, 1, 1
            {
            	.reg .pred 	%p<2>;
            	ld.param.u64 	%rd1, [sum_param_0];
            	mov.f32 	%f1, 0f00000000;
            $L__BB0_1:                              // a loop
            	ld.global.v2.f32 	{%f2, %f3}, [%rd1];
            	add.rn.f32 	%f1, %f1, %f2;
            	add.rn.f32 	%f1, %f1, %f3;
            	setp.lt.f32 	%p1, %f1, 0f3F800000;
            	@%p1 bra 	$L__BB0_1;
            	st.global.f32 	[%rd1], %f1;
            	ret;
            }
            """;
        Assert.Equal(new Dictionary<string, int> { ["sum"] = 5 }, PtxRegisters.MostLive(Ptx));
    }

    /// <summary>Rows move 16 bytes a thread: four words in one instruction, both ways.</summary>
    [Theory]
    [InlineData("add")]
    [InlineData("swiglu")]
    [InlineData("rms_norm")]
    [InlineData("rotary")]
    public void AlignedRowsMoveInWholeVectors(string operation)
    {
        Clang.Require();
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

    /// <summary>One of the widths for kernels that need one.</summary>
    private const int HeadWidth = 64;

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

    /// <summary>Name and bytes; a name is the kernel's and its length, then the array's and its length, as C++ mangles it.</summary>
    [GeneratedRegex(@"\.shared \.align 128 \.b8 \w*?\d(queries|gradients|keys|values)E?\w*\[(\d+)\]")]
    private static partial Regex SharedArrays();

    [GeneratedRegex(@"^#include (.*)$", RegexOptions.Multiline)]
    private static partial Regex Includes();
}
