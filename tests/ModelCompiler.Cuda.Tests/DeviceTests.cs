using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Cuda.Tests.Models;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Conformance;
using ModelCompiler.Tests.Models;

namespace ModelCompiler.Cuda.Tests;

/// <summary>A real GPU: every kernel against Reference, and training against the CPU backend.</summary>
public sealed class DeviceTests : IClassFixture<DeviceTests.Shared>
{
    private readonly Shared shared;

    public DeviceTests(Shared shared) => this.shared = shared;

    public static TheoryData<string> Operations => [.. OperationCases.All.Select(cases => cases.Key)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void AgreesWithReference(string operation)
    {
        Gpu.Require();
        List<string> failures = [.. OperationCases.All[operation].SelectMany(c => shared.Check.Compare(shared.Bench, c))];
        Assert.True(failures.Count == 0, $"{failures.Count} disagree:\n{string.Join('\n', failures.Take(5))}");
    }

    [Theory]
    [InlineData(Optimizer.AdamW)]
    [InlineData(Optimizer.AdamW8Bit)]
    [InlineData(Optimizer.PagedAdamW)]
    public void Float32HasTheLossesOfTheCpu(Optimizer optimizer)
    {
        Gpu.Require();
        Compare<StoriesLoraDropout>(optimizer, DType.Float32, 1e-4);
    }

    [Fact]
    public void BFloat16IsClose()
    {
        Gpu.Require();
        Compare<StoriesLoraDropout>(Optimizer.AdamW, DType.BFloat16, 0.06);
    }

    [Fact]
    public void QuantizedWeightsHaveTheLossesOfTheCpu()
    {
        Gpu.Require();
        Compare<StoriesNf4>(Optimizer.AdamW, DType.Float32, 1e-4);
    }

    private static void Compare<T>(Optimizer optimizer, DType activation, double tolerance)
        where T : ModelCompiler.Models.TransformerModel, ModelCompiler.Models.IModel<T>
    {
        TrainingPlan plan = TrainingTests.Plan with { Optimizer = optimizer, PageElements = 300, MinimumElementsForPaging = 300 };
        double[] expected = TrainingTests.Losses<T>(plan, new CpuBackend(1), steps: 8);
        double[] losses = TrainingTests.Losses<T>(plan, CudaBackend.Open(activation), steps: 8);
        Assert.All(expected.Zip(losses), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    /// <summary>The device opened once for the whole class.</summary>
    public sealed class Shared : IDisposable
    {
        private readonly Lazy<Bench> bench = new(() => new Bench(CudaBackend.Open(DType.Float32)));

        internal Bench Bench => bench.Value;

        internal ConformanceCheck Check { get; } = new();

        public void Dispose()
        {
            Check.Dispose();
            if (bench.IsValueCreated)
            {
                bench.Value.Dispose();
            }
        }
    }
}
