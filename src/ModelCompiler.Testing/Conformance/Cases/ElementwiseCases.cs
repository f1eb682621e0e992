using ModelCompiler.Backends;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class ElementwiseCases
{
    public static IEnumerable<OperationCase> All() => OperationCases.Sizes.SelectMany(s => (OperationCase[])
    [
        new(nameof(IBackend.Add), [Input("a", s.Rows, s.Columns), Input("b", s.Rows, s.Columns), Output("y", s.Rows, s.Columns)],
            (b, t) => b.Add(t["a"], t["b"], t["y"]))
        {
            InPlace = ["y=a", "y=b"],
        },
        new(nameof(IBackend.ScaleChannels), [Input("x", s.Rows, s.Columns), Weight("g", 1, s.Columns), Plus(s.Rows, s.Columns), Output("y", s.Rows, s.Columns)],
            (b, t) => b.ScaleChannels(t["x"], t["g"], t["y"], t["plus"]))
        {
            InPlace = ["y=x", "y=plus"],
        },
        new(nameof(IBackend.ShrinkGates), [Accumulator("c", s.Rows, s.Columns) with { Required = true }], (b, t) => b.ShrinkGates(t["c"], 0.125)),
        new(nameof(IBackend.ScaleChannelsGradientWeight), [Input("dy", s.Rows, s.Columns), Input("x", s.Rows, s.Columns), Accumulator("dg", 1, s.Columns)],
            (b, t) => b.ScaleChannelsGradientWeight(t["dy"], t["x"], t["dg"])),
        new(nameof(IBackend.Magnitude),
            [
                Input("z", s.Rows, s.Columns), Weight("m", 1, s.Columns), Input("inverse", 1, s.Columns), Weight("bias", 1, s.Columns, optional: true), Plus(s.Rows, s.Columns),
                Output("y", s.Rows, s.Columns),
            ],
            (b, t) => b.Magnitude(t["z"], t["m"], t["inverse"], t["y"], t["bias"], t["plus"]))
        {
            InPlace = ["y=z", "y=plus"],
        },
        new(nameof(IBackend.MagnitudeGradient),
            [Input("dy", s.Rows, s.Columns), Input("z", s.Rows, s.Columns), Input("inverse", 1, s.Columns), Accumulator("dm", 1, s.Columns)],
            (b, t) => b.MagnitudeGradient(t["dy"], t["z"], t["inverse"], t["dm"])),
        new(nameof(IBackend.RowProducts), [Input("a", s.Rows, s.Columns), Input("b", s.Rows, s.Columns), Accumulator("sums", 1, s.Rows)],
            (b, t) => b.RowProducts(t["a"], t["b"], t["sums"])),
        new(nameof(IBackend.Importance),
            [
                Input("w", s.Rows, s.Columns), Input("g", s.Rows, s.Columns), Accumulator("sensitivity", s.Rows, s.Columns) with { Required = true },
                Accumulator("uncertainty", s.Rows, s.Columns) with { Required = true },
            ],
            (b, t) => b.Importance(t["w"], t["g"], t["sensitivity"], t["uncertainty"], 0.85f, 0.7f)),
        .. GroupMeans(s.Rows, s.Columns, size: 3),
        .. GroupMeans(s.Rows, 1 + s.Columns / 37, size: 37),
        new(nameof(IBackend.Dropout), [Input("x", s.Rows, s.Columns), Output("y", s.Rows, s.Columns)],
            (b, t) => b.Dropout(t["x"], t["y"], 0.3f, key: 0x1234_5678_9ABC_DEF0, firstRow: 5))
        {
            InPlace = ["y=x"],
        },
        new(nameof(IBackend.Dropout), [Input("x", s.Rows, s.Columns), Output("y", s.Rows, s.Columns)],
            (b, t) => b.Dropout(t["x"], t["y"], 0, key: 7)),
        new(nameof(IBackend.SquaredNorm), [Input("x", s.Rows, s.Columns), Accumulator("sum", 1, 1)], (b, t) => b.SquaredNorm(t["x"], t["sum"]))
        {
            Tolerance = 1e-6,
        },
        new(nameof(IBackend.Zero), [Accumulator("x", s.Rows, s.Columns)], (b, t) => b.Zero(t["x"])),
        new(nameof(IBackend.Copy), [Input("source", s.Rows, s.Columns), Output("destination", s.Rows, s.Columns) with { Required = true }],
            (b, t) => b.Copy(t["source"], t["destination"])),
    ]);

    private static OperationCase[] GroupMeans(int rows, int groups, int size) =>
    [
        new(nameof(IBackend.GroupMean), [Input("x", rows, groups * size), Output("y", rows, groups)], (b, t) => b.GroupMean(t["x"], t["y"])),
        new(nameof(IBackend.GroupMeanGradient), [Input("dy", rows, groups), Plus(rows, groups * size), Output("dx", rows, groups * size)],
            (b, t) => b.GroupMeanGradient(t["dy"], t["dx"], t["plus"]))
        {
            InPlace = ["dx=plus"],
        },
    ];
}
