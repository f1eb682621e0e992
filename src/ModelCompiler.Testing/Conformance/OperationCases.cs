using ModelCompiler.Backends;

namespace ModelCompiler.Testing.Conformance;

/// <summary>Every operation of the interface at odd sizes.</summary>
internal static class OperationCases
{
    /// <summary>
    /// Rows and columns around the widths of vectors and tiles; the last three are large enough to be shared among threads, to have
    /// rows of several segments, and to need a second chunk of partial sums.
    /// </summary>
    public static readonly (int Rows, int Columns)[] Sizes =
        [(1, 1), (2, 3), (3, 2), (5, 5), (7, 16), (1, 17), (16, 7), (17, 33), (33, 64), (65, 17), (3, 131), (130, 3), (70, 259), (2, 1500), (1100, 9)];

    /// <summary>The cases by the name of the operation.</summary>
    public static readonly ILookup<string, OperationCase> All = Cases().ToLookup(c => c.Operation);

    /// <summary>The sizes with values of order 1, and one size with values of the order of <paramref name="scale"/>.</summary>
    public static IEnumerable<(int Rows, int Columns, double Scale)> SizesAnd(double scale)
    {
        foreach ((int rows, int columns) in Sizes)
        {
            yield return (rows, columns, 1);
        }

        yield return (9, 47, scale);
    }

    private static IEnumerable<OperationCase> Cases() =>
    [
        .. Conformance.Cases.EmbeddingCases.All(),
        .. Conformance.Cases.NormCases.All(),
        .. Conformance.Cases.LinearCases.All(),
        .. Conformance.Cases.AttentionCases.All(),
        .. Conformance.Cases.ActivationCases.All(),
        .. Conformance.Cases.ElementwiseCases.All(),
        .. Conformance.Cases.LossCases.All(),
        .. Conformance.Cases.OptimizerCases.All(),
    ];
}
