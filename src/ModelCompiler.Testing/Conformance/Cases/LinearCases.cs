using ModelCompiler.Backends;
using ModelCompiler.Tensors;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class LinearCases
{
    /// <summary>Rows, input width, output width, rank: around tiles of 12 rows and 32 columns and, once, a depth above 512.</summary>
    private static readonly (int Rows, int In, int Out, int Rank)[] Sizes =
    [
        (1, 1, 1, 1), (2, 3, 5, 2), (5, 2, 3, 1), (7, 16, 17, 3), (11, 33, 31, 8), (12, 32, 32, 8), (13, 17, 65, 5), (16, 7, 33, 16),
        (33, 65, 64, 4), (65, 64, 7, 8), (1, 130, 131, 8), (3, 600, 40, 9), (27, 48, 300, 17), (130, 20, 13, 2),
    ];

    public static IEnumerable<OperationCase> All() => Sizes.SelectMany(s => (OperationCase[])
    [
        new(nameof(IBackend.Linear),
            [Input("x", s.Rows, s.In), Weight("w", s.Out, s.In), Weight("bias", 1, s.Out, optional: true), Plus(s.Rows, s.Out), Output("y", s.Rows, s.Out)],
            (b, t) => b.Linear(t["x"], t["w"], t["y"], t["bias"], t["plus"], 0.75f))
        {
            InPlace = ["y=plus"],
        },
        new(nameof(IBackend.Linear),
            [Input("x", s.Rows, s.In), Weight("w", s.Out, s.In), Output("y", s.Rows, s.Out)],
            (b, t) => b.Linear(t["x"], t["w"], t["y"])),
        new(nameof(IBackend.LinearGradientInput),
            [Input("dy", s.Rows, s.Out), Weight("w", s.Out, s.In), Plus(s.Rows, s.In), Output("dx", s.Rows, s.In)],
            (b, t) => b.LinearGradientInput(t["dy"], t["w"], t["dx"], t["plus"], 0.75f))
        {
            InPlace = ["dx=plus"],
        },
        new(nameof(IBackend.LinearGradientInput),
            [Input("dy", s.Rows, s.Out), Weight("w", s.Out, s.In), Output("dx", s.Rows, s.In)],
            (b, t) => b.LinearGradientInput(t["dy"], t["w"], t["dx"])),
        new(nameof(IBackend.LinearGradientWeight),
            [Input("dy", s.Rows, s.Out), Input("x", s.Rows, s.In), Accumulator("dw", s.Out, s.In)],
            (b, t) => b.LinearGradientWeight(t["dy"], t["x"], t["dw"], 0.75f)),
        new(nameof(IBackend.LinearGradientBias),
            [Input("dy", s.Rows, s.Out), Accumulator("db", 1, s.Out)],
            (b, t) => b.LinearGradientBias(t["dy"], t["db"], 0.75f)),
        new(nameof(IBackend.LowRankLinear),
            [
                Input("x", s.Rows, s.In), Weight("w", s.Out, s.In), Input("h", s.Rows, s.Rank), Weight("b", s.Out, s.Rank),
                Weight("bias", 1, s.Out, optional: true), Plus(s.Rows, s.Out), Output("y", s.Rows, s.Out),
            ],
            (b, t) => b.LowRankLinear(t["x"], t["w"], t["h"], t["b"], t["y"], 2.5f, t["bias"], t["plus"]))
        {
            InPlace = ["y=plus"],
        },
        new(nameof(IBackend.InverseRowNorm),
            [Derived("squares", 1, s.Out), Input("b", s.Out, s.Rank), Derived("inner", s.Rank, s.Out), Derived("gram", s.Rank, s.Rank), Output("inverse", 1, s.Out)],
            (b, t) => b.InverseRowNorm(t["squares"], t["b"], t["inner"], t["gram"], t["inverse"], 0.75f))
        {
            Prepare = (b, t) => PrepareNorms(b, t["squares"], t["b"], t["inner"], t["gram"]),
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.LowRankLinearGradientInput),
            [
                Input("dy", s.Rows, s.Out), Weight("w", s.Out, s.In), Input("e", s.Rows, s.Rank), Weight("a", s.Rank, s.In),
                Plus(s.Rows, s.In), Output("dx", s.Rows, s.In),
            ],
            (b, t) => b.LowRankLinearGradientInput(t["dy"], t["w"], t["e"], t["a"], t["dx"], t["plus"]))
        {
            InPlace = ["dx=plus"],
        },
    ]);

    /// <summary>A Gram matrix, and squares and inner products whose sum of terms is positive.</summary>
    private static void PrepareNorms(IBackend backend, Tensor squares, Tensor b, Tensor inner, Tensor gram)
    {
        var rows = new double[b.Count];
        backend.Read(b, rows);
        backend.Write(squares, (ReadOnlySpan<double>)rows.Chunk(b.Columns).Select(row => 1 + row.Sum(x => x * x)).ToArray());
        backend.Write(inner, (ReadOnlySpan<double>)Enumerable.Range(0, (int)inner.Count).Select(i => 0.3 * Math.Sin(i + 1)).ToArray());
        backend.Zero(gram);
        backend.LinearGradientWeight(b, b, gram);
    }
}
