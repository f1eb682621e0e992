using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Testing.Conformance;

namespace ModelCompiler.Tests.Conformance;

/// <summary>What the kernels promise besides the right values: the same bits every time, and no garbage.</summary>
public sealed class RepeatabilityTests : IDisposable
{
    private readonly ConformanceCheck check = new();
    private readonly Bench bench = new(new CpuBackend(3));

    public static TheoryData<string> Operations => [.. OperationCases.All.Select(group => group.Key)];

    [Theory]
    [MemberData(nameof(Operations))]
    public void GivesTheSameBitsEveryTime(string operation)
    {
        foreach (OperationCase item in OperationCases.All[operation])
        {
            Dictionary<string, double[]> values = check.Values(item, new Variation());
            double[][]? first = null;
            for (int run = 0; run < 3; run++)
            {
                Handles handles = bench.Run(item, values, new Variation());
                double[][] results = [.. item.Operands.Where(o => o.IsResult).Select(o => bench.Read(handles[o.Name]))];
                first ??= results;
                for (int i = 0; i < results.Length; i++)
                {
                    Assert.True(first[i].AsSpan().SequenceEqual(results[i]), $"{item}: run {run} differs from run 0");
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void AllocatesNothing(string operation)
    {
        foreach (OperationCase item in OperationCases.All[operation])
        {
            foreach (DType type in (DType[])[DType.Float32, DType.BFloat16])
            {
                var variation = new Variation(WeightType: type);
                Handles handles = bench.Run(item, check.Values(item, variation), variation);
                long allocated = Allocations.Least(() => item.Call(bench.Backend, handles));
                Assert.True(allocated == 0, $"{item} with {type} weights allocates {allocated} bytes");
            }
        }
    }

    [Fact]
    public void AnIdOutsideTheTableIsOneClearError()
    {
        OperationCase item = OperationCases.All["Embedding"].First(c => c.Operands[0].Rows == 5);
        Dictionary<string, double[]> values = check.Values(item, new Variation());
        values["ids"][3] = item.Operands[1].Rows;
        var error = Assert.Throws<ArgumentException>(() => bench.Run(item, values, new Variation()));
        Assert.Equal("The id 3 in row 3 is outside the 3 entries of its table.", error.Message);
    }

    public void Dispose()
    {
        check.Dispose();
        bench.Dispose();
    }
}
