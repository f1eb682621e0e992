using ModelCompiler.Backends;

namespace ModelCompiler.Testing.Conformance;

/// <summary>
/// Proves a backend: every operation of <see cref="IBackend"/> against <see cref="Reference.ReferenceBackend"/>, over odd sizes, row strides, missing
/// tensors, in-place forms and weight types.
/// </summary>
public static class BackendConformance
{
    /// <summary>Names of the operations that have cases: the methods of <see cref="IBackend"/> that are kernels.</summary>
    public static IReadOnlyList<string> Operations { get; } = [.. OperationCases.All.Select(group => group.Key)];

    /// <summary>Runs the cases of one operation.</summary>
    /// <param name="backend">A backend without an arena yet; the check allocates it and disposes the backend.</param>
    /// <param name="operation">One of <see cref="Operations"/>.</param>
    /// <returns>What disagrees, one line each; empty when the backend agrees with the reference within the tolerance of each case.</returns>
    /// <exception cref="ArgumentException">There is no such operation.</exception>
    public static IReadOnlyList<string> Check(IBackend backend, string operation)
    {
        if (!Operations.Contains(operation))
        {
            throw new ArgumentException($"No operation is named '{operation}'.", nameof(operation));
        }

        using var check = new ConformanceCheck();
        using var bench = new Bench(backend);
        return [.. OperationCases.All[operation].SelectMany(c => check.Compare(bench, c))];
    }
}
