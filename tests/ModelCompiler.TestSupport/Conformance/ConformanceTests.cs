using ModelCompiler.Backends;
using ModelCompiler.Testing.Conformance;

namespace ModelCompiler.Tests.Conformance;

/// <summary>Every operation of every backend against Reference: odd sizes, row strides, missing tensors, in-place forms, weight types, threads.</summary>
/// <typeparam name="TBackends">The backends of the assembly that runs the tests.</typeparam>
public abstract class ConformanceTests<TBackends> : IDisposable
    where TBackends : IConformingBackends
{
    private readonly ConformanceCheck check = new();

    public static TheoryData<string, string> Operations
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string backend in TBackends.All.Keys)
            {
                foreach (IGrouping<string, OperationCase> operation in OperationCases.All)
                {
                    data.Add(backend, operation.Key);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Operations))]
    public void AgreesWithReference(string backend, string operation)
    {
        using var bench = new Bench(TBackends.All[backend]());
        List<string> failures = [.. OperationCases.All[operation].SelectMany(c => check.Compare(bench, c))];
        Assert.True(failures.Count == 0, $"{failures.Count} disagree:\n{string.Join('\n', failures.Take(5))}");
    }

    /// <summary>A new method of the interface must join the suite.</summary>
    [Fact]
    public void EveryOperationHasCases()
    {
        string[] notKernels =
        [
            nameof(IBackend.FindFreeMemory), nameof(IBackend.Allocate), nameof(IBackend.UseWorkspace), nameof(IBackend.BeginStep), nameof(IBackend.Read), nameof(IBackend.Write),
            nameof(IBackend.AllocatePaged), nameof(IBackend.PageIn), nameof(IBackend.PageOut), nameof(IBackend.AwaitPage),
        ];
        IEnumerable<string> operations = typeof(IBackend).GetMethods().Where(m => !m.IsSpecialName).Select(m => m.Name).Distinct().Except(notKernels);
        Assert.Equal(operations.Order(), OperationCases.All.Select(group => group.Key).Order());
    }

    public void Dispose()
    {
        check.Dispose();
        GC.SuppressFinalize(this);
    }
}
