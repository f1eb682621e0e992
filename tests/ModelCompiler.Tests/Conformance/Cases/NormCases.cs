using ModelCompiler.Backends;
using static ModelCompiler.Tests.Conformance.Operand;

namespace ModelCompiler.Tests.Conformance.Cases;

internal static class NormCases
{
    private const float Epsilon = 1e-3f;

    public static IEnumerable<OperationCase> All() => OperationCases.Sizes.SelectMany(size => (OperationCase[])
    [
        new(nameof(IBackend.RmsNorm),
            [X(size), W(size), Output("y", size.Rows, size.Columns), Output("rstd", size.Rows, 1)],
            (b, t) => b.RmsNorm(t["x"], t["w"], t["y"], t["rstd"], Epsilon)),
        new(nameof(IBackend.RmsNormGradient),
            [Dy(size), X(size), W(size), Derived("rstd", size.Rows, 1), Output("dx", size.Rows, size.Columns), Plus(size.Rows, size.Columns)],
            (b, t) => b.RmsNormGradient(t["dy"], t["x"], t["w"], t["rstd"], t["dx"], t["plus"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["w"], default, t["rstd"], Epsilon),
            InPlace = ["dx=dy", "dx=plus"],
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.RmsNormGradientWeight),
            [Dy(size), X(size), Derived("rstd", size.Rows, 1), Accumulator("dw", 1, size.Columns)],
            (b, t) => b.RmsNormGradientWeight(t["dy"], t["x"], t["rstd"], t["dw"]))
        {
            Prepare = (b, t) => b.RmsNorm(t["x"], t["x"], default, t["rstd"], Epsilon),
        },
        new(nameof(IBackend.LayerNorm),
            [X(size), W(size), Weight("b", 1, size.Columns, optional: true), Output("y", size.Rows, size.Columns), Output("statistics", size.Rows, 2)],
            (b, t) => b.LayerNorm(t["x"], t["w"], t["b"], t["y"], t["statistics"], Epsilon))
        {
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.LayerNormGradient),
            [Dy(size), X(size), W(size), Derived("statistics", size.Rows, 2), Output("dx", size.Rows, size.Columns), Plus(size.Rows, size.Columns)],
            (b, t) => b.LayerNormGradient(t["dy"], t["x"], t["w"], t["statistics"], t["dx"], t["plus"]))
        {
            Prepare = (b, t) => b.LayerNorm(t["x"], t["w"], default, default, t["statistics"], Epsilon),
            InPlace = ["dx=dy", "dx=plus"],
            Tolerance = 1e-5,
        },
        new(nameof(IBackend.LayerNormGradientWeight),
            [Dy(size), X(size), Derived("statistics", size.Rows, 2), Accumulator("dw", 1, size.Columns)],
            (b, t) => b.LayerNormGradientWeight(t["dy"], t["x"], t["statistics"], t["dw"]))
        {
            Prepare = (b, t) => b.LayerNorm(t["x"], t["x"], default, default, t["statistics"], Epsilon),
        },
    ]);

    private static Operand X((int Rows, int Columns) size) => Input("x", size.Rows, size.Columns);

    private static Operand Dy((int Rows, int Columns) size) => Input("dy", size.Rows, size.Columns);

    private static Operand W((int Rows, int Columns) size) => Weight("w", 1, size.Columns);
}
