using ModelCompiler.Backends;
using ModelCompiler.Operations;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class NormCases
{
    private const float Epsilon = 1e-3f;

    private static readonly (int Rows, int Runs, int Width)[] Heads = [(1, 2, 1), (3, 4, 8), (5, 3, 17), (33, 2, 64)];

    public static IEnumerable<OperationCase> All() => [.. OperationCases.Sizes.SelectMany(OfRows), .. Heads.SelectMany(h => OfRuns(h.Rows, h.Runs, h.Width))];

    /// <summary>Several runs of channels side by side, each normed by itself.</summary>
    private static OperationCase[] OfRuns(int rows, int runs, int width) =>
    [
        new(nameof(IBackend.RmsNorm),
            [X((rows, runs * width)), W((rows, width)), Output("y", rows, runs * width), Output("rstd", rows, runs)],
            (b, t) => b.RmsNorm(t["x"], t["w"], t["y"], t["rstd"], new NormShape(Epsilon))),
        new(nameof(IBackend.RmsNormGradient),
            [Dy((rows, runs * width)), X((rows, runs * width)), W((rows, width)), Derived("rstd", rows, runs), Output("dx", rows, runs * width), Plus(rows, runs * width)],
            (b, t) => b.RmsNormGradient(t["dy"], t["x"], t["w"], t["rstd"], t["dx"], t["plus"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["w"], default, t["rstd"], new NormShape(Epsilon)),
            InPlace = ["dx=dy", "dx=plus"],
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.RmsNormGradientWeight),
            [Dy((rows, runs * width)), X((rows, runs * width)), Derived("rstd", rows, runs), Accumulator("dw", 1, width)],
            (b, t) => b.RmsNormGradientWeight(t["dy"], t["x"], t["rstd"], t["dw"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["x"] with { Columns = width }, default, t["rstd"], new NormShape(Epsilon)),
        },
    ];

    private static OperationCase[] OfRows((int Rows, int Columns) size) =>
    [
        new(nameof(IBackend.RmsNorm),
            [X(size), W(size), Output("y", size.Rows, size.Columns), Output("rstd", size.Rows, 1)],
            (b, t) => b.RmsNorm(t["x"], t["w"], t["y"], t["rstd"], new NormShape(Epsilon))),
        new(nameof(IBackend.RmsNormGradient),
            [Dy(size), X(size), W(size), Derived("rstd", size.Rows, 1), Output("dx", size.Rows, size.Columns), Plus(size.Rows, size.Columns)],
            (b, t) => b.RmsNormGradient(t["dy"], t["x"], t["w"], t["rstd"], t["dx"], t["plus"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["w"], default, t["rstd"], new NormShape(Epsilon)),
            InPlace = ["dx=dy", "dx=plus"],
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.RmsNormGradientWeight),
            [Dy(size), X(size), Derived("rstd", size.Rows, 1), Accumulator("dw", 1, size.Columns)],
            (b, t) => b.RmsNormGradientWeight(t["dy"], t["x"], t["rstd"], t["dw"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["x"], default, t["rstd"], new NormShape(Epsilon)),
        },
        new(nameof(IBackend.LayerNorm),
            [X(size), W(size), Weight("b", 1, size.Columns, optional: true), Output("y", size.Rows, size.Columns), Output("statistics", size.Rows, 2)],
            (b, t) => b.LayerNorm(t["x"], t["w"], t["b"], t["y"], t["statistics"], new NormShape(Epsilon)))
        {
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.LayerNormGradient),
            [Dy(size), X(size), W(size), Derived("statistics", size.Rows, 2), Output("dx", size.Rows, size.Columns), Plus(size.Rows, size.Columns)],
            (b, t) => b.LayerNormGradient(t["dy"], t["x"], t["w"], t["statistics"], t["dx"], t["plus"]))
        {
            Prepare = (b, t) => b.LayerNorm(t["x"], t["w"], default, default, t["statistics"], new NormShape(Epsilon)),
            InPlace = ["dx=dy", "dx=plus"],
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.LayerNormGradientWeight),
            [Dy(size), X(size), Derived("statistics", size.Rows, 2), Accumulator("dw", 1, size.Columns)],
            (b, t) => b.LayerNormGradientWeight(t["dy"], t["x"], t["statistics"], t["dw"]))
        {
            Prepare = (b, t) => b.LayerNorm(t["x"], t["x"], default, default, t["statistics"], new NormShape(Epsilon)),
        },
    ];

    private static Operand X((int Rows, int Columns) size) => Input("x", size.Rows, size.Columns);

    private static Operand Dy((int Rows, int Columns) size) => Input("dy", size.Rows, size.Columns);

    private static Operand W((int Rows, int Columns) size) => Weight("w", 1, size.Columns);
}
