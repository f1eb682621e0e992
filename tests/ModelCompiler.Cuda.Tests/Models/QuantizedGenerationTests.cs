using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Cuda.Tests.Emulation;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Generation;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Cuda.Tests.Models;

/// <summary>Generation over quantized weights: few tokens at a time, for which no weight is decoded to memory.</summary>
public sealed class QuantizedGenerationTests
{
    private static readonly int[] Prompt = [1, 40, 300, 7, 12];

    [Fact]
    public void Nf4_generates_the_cpu_backends_tokens()
    {
        HostClang.Require();
        Compare<StoriesNf4>("nf4_gemv_1", "nf4_gemv_8");
    }

    [Fact]
    public void Int8_generates_the_cpu_backends_tokens()
    {
        HostClang.Require();
        Compare<StoriesInt8>("int8_gemv_1", "int8_gemv_8");
    }

    [Fact]
    public void Int4_generates_the_cpu_backends_tokens()
    {
        HostClang.Require();
        Compare<StoriesInt4>("int4_gemv_1", "int4_gemv_8");
    }

    /// <summary>Eight bits of every factor are kept, and logits move by a few percent.</summary>
    [Fact]
    public void In_bfloat16_the_logits_are_close()
    {
        HostClang.Require();
        double[][] expected = Logits(new CpuBackend(1));
        var gpu = new EmulatedGpu(DType.BFloat16);
        double[][] logits = Logits(gpu.Backend);
        foreach ((double[] right, double[] own) in expected.Zip(logits))
        {
            Assert.InRange(ModelRun.Norm(right.Zip(own, (a, b) => a - b)) / ModelRun.Norm(right), 1e-4, 0.05);
        }

        Assert.Contains("nf4_gemv_8", gpu.Driver.Kernels);
        RequireNothingDecoded(gpu);

        static double[][] Logits(IBackend backend)
        {
            using StoriesNf4 model = Create<StoriesNf4>(backend);
            return model.LogitsOf(Prompt);
        }
    }

    private static void Compare<T>(params string[] kernels)
        where T : TransformerModel, IModel<T>
    {
        var gpu = new EmulatedGpu(DType.Float32);
        Assert.Equal(Tokens(new CpuBackend(1)), Tokens(gpu.Backend));
        Assert.All(kernels, kernel => Assert.Contains(kernel, gpu.Driver.Kernels));
        RequireNothingDecoded(gpu);

        static int[] Tokens(IBackend backend)
        {
            using T model = Create<T>(backend);
            return [.. new TextGenerator(model).Generate(Prompt, new GenerationOptions { MaximumTokens = 8 }).Tokens];
        }
    }

    private static void RequireNothingDecoded(EmulatedGpu gpu) => Assert.DoesNotContain(gpu.Driver.Kernels, kernel => kernel.EndsWith("_dequantize", StringComparison.Ordinal));

    private static T Create<T>(IBackend backend)
        where T : TransformerModel, IModel<T>
    {
        T model = Model.ForGeneration<T>(16, backend: backend);
        Initialization.All(model, seed: 5);
        return model;
    }
}
