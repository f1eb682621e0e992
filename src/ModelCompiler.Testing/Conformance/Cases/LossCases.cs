using ModelCompiler.Backends;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class LossCases
{
    /// <summary>Flat logits, and logits so far apart that exp needs the maximum taken off.</summary>
    public static IEnumerable<OperationCase> All() => OperationCases.SizesAnd(scale: 200).SelectMany(s => (OperationCase[])
    [
        new(nameof(IBackend.CrossEntropy),
            [
                Input("logits", s.Rows, s.Columns, s.Scale), Ids("targets", s.Rows, s.Columns, ignored: true),
                Output("logSumExp", s.Rows, 1), Accumulator("loss", 1, 1), Weights(s.Rows),
            ],
            (b, t) => b.CrossEntropy(t["logits"], t["targets"], t["logSumExp"], t["loss"], t["weights"])),
        new(nameof(IBackend.CrossEntropyGradient),
            [
                Input("logits", s.Rows, s.Columns, s.Scale), Ids("targets", s.Rows, s.Columns, ignored: true),
                Derived("logSumExp", s.Rows, 1), Output("dLogits", s.Rows, s.Columns), Weights(s.Rows),
            ],
            (b, t) => b.CrossEntropyGradient(t["logits"], t["targets"], t["logSumExp"], t["dLogits"], t["weights"]))
        {
            Prepare = (b, t) => b.CrossEntropy(t["logits"], t["targets"], t["logSumExp"], default),
            InPlace = ["dLogits=logits"],
            Tolerance = 1e-5,
        },
    ]);

    private static Operand Weights(int rows) => Input("weights", rows, 1) with { Optional = true };
}
