using ModelCompiler.Backends;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class OptimizerCases
{
    private static readonly AdamWStep Step = new(1e-2, 0.9, 0.999, 1e-8, 0.1, Count: 3, GradientScale: 0.7);

    public static IEnumerable<OperationCase> All() => OperationCases.Sizes.SelectMany(s => (OperationCase[])
    [
        new(nameof(IBackend.AdamW), [Updated("w", s.Rows, s.Columns), Input("g", s.Rows, s.Columns), Updated("m", s.Rows, s.Columns), Second(s.Rows, s.Columns)],
            (b, t) => b.AdamW(t["w"], t["g"], t["m"], t["v"], Step)),
        new(nameof(IBackend.AdamE), [Updated("w", s.Rows, s.Columns), Input("g", s.Rows, s.Columns), Updated("m", s.Rows, s.Columns), Second(s.Rows, s.Columns)],
            (b, t) => b.AdamE(t["w"], t["g"], t["m"], t["v"], Step, lasso: 30)),
        EightBit(s.Rows, s.Columns),
    ]);

    private static OperationCase EightBit(int rows, int columns)
    {
        int blocks = (rows * columns + 255) / 256;
        return new(
            nameof(IBackend.AdamW8Bit),
            [
                Updated("w", rows, columns) with { Contiguous = true }, Input("g", rows, columns) with { Contiguous = true },
                Codes("m", rows, columns), Codes("v", rows, columns),
                Updated("mScales", blocks, 1) with { Positive = true, Contiguous = true }, Updated("vScales", blocks, 1) with { Positive = true, Contiguous = true },
            ],
            (b, t) => b.AdamW8Bit(t["w"], t["g"], t["m"], t["v"], t["mScales"], t["vScales"], Step));
    }

    private static Operand Updated(string name, int rows, int columns) => Accumulator(name, rows, columns) with { Required = true };

    private static Operand Second(int rows, int columns) => Updated("v", rows, columns) with { Positive = true };
}
