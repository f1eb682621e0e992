using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class AttentionCases
{
    private static readonly (int Batch, int Sequence, int Heads, int KeyValueHeads, int Width)[] Sizes =
    [
        (1, 1, 1, 1, 2), (2, 3, 2, 1, 4), (1, 5, 3, 3, 7), (3, 7, 4, 2, 16), (1, 17, 2, 2, 33), (2, 33, 6, 2, 8), (1, 65, 2, 1, 64), (1, 130, 1, 1, 20),
        (1, 3, 1, 1, 128),
    ];

    private static readonly (int HeadWidth, int RotaryWidth)[] RotaryWidths = [(2, 2), (6, 4), (16, 16), (20, 10), (34, 34), (64, 32)];

    public static IEnumerable<OperationCase> All()
    {
        foreach ((int batch, int sequence, int heads, int keyValueHeads, int width) in Sizes)
        {
            foreach (OperationCase operation in Of(batch, sequence, heads, keyValueHeads, width, [0, 6]))
            {
                yield return operation;
            }
        }

        foreach ((int headWidth, int rotaryWidth) in RotaryWidths)
        {
            foreach ((Step step, int rows) in EmbeddingCases.Steps(headWidth + 3))
            {
                int columns = 3 * headWidth;
                yield return new OperationCase(
                    nameof(IBackend.Rotary),
                    [Input("x", rows, columns), Output("y", rows, columns)],
                    (b, t) => b.Rotary(t["x"], t["y"], new RotaryShape(headWidth, rotaryWidth, 10_000)))
                { Step = step, InPlace = ["y=x"] };
                yield return new OperationCase(
                    nameof(IBackend.RotaryGradient),
                    [Input("dy", rows, columns), Output("dx", rows, columns)],
                    (b, t) => b.RotaryGradient(t["dy"], t["dx"], new RotaryShape(headWidth, rotaryWidth, 500_000)))
                { Step = step, InPlace = ["dx=dy"] };
                yield return new OperationCase(
                    nameof(IBackend.Rotary),
                    [Input("x", rows, columns), Output("y", rows, columns)],
                    (b, t) => b.Rotary(t["x"], t["y"], new RotaryShape(headWidth, rotaryWidth, 10_000, FrequencyScaling.Llama3(8, 1, 4, 16))))
                { Step = step, InPlace = ["y=x"] };
                yield return new OperationCase(
                    nameof(IBackend.RotaryGradient),
                    [Input("dy", rows, columns), Output("dx", rows, columns)],
                    (b, t) => b.RotaryGradient(t["dy"], t["dx"], new RotaryShape(headWidth, rotaryWidth, 10_000, FrequencyScaling.Linear(3))))
                { Step = step, InPlace = ["dx=dy"] };
            }
        }
    }

    /// <summary>Attention, its gradient, and attention over caches that hold so many positions already.</summary>
    public static IEnumerable<OperationCase> Of(int batch, int sequence, int heads, int keyValueHeads, int width, int[] positions)
    {
        int rows = batch * sequence;
        var step = new Step(batch, sequence);
        var shape = new AttentionShape(heads, keyValueHeads, width);
        Operand[] inputs = [Input("q", rows, heads * width), Input("k", rows, keyValueHeads * width), Input("v", rows, keyValueHeads * width)];
        yield return new OperationCase(
            nameof(IBackend.Attention),
            [.. inputs, Output("o", rows, heads * width) with { Required = true }, Output("logSumExp", rows, heads)],
            (b, t) => b.Attention(t["q"], t["k"], t["v"], t["o"], t["logSumExp"], shape))
        { Step = step, Tolerance = 5e-6 };
        yield return new OperationCase(
            nameof(IBackend.AttentionGradient),
            [
                Input("dO", rows, heads * width), .. inputs, Derived("o", rows, heads * width), Derived("logSumExp", rows, heads),
                Output("dq", rows, heads * width), Output("dk", rows, keyValueHeads * width), Output("dv", rows, keyValueHeads * width),
            ],
            (b, t) => b.AttentionGradient(
                t["dO"], t["q"], t["k"], t["v"], t["o"], t["logSumExp"], t["dq"], t["dk"], t["dv"], shape))
        {
            Step = step,
            Prepare = (b, t) => b.Attention(t["q"], t["k"], t["v"], t["o"], t["logSumExp"], shape),
            Tolerance = 1e-5,
        };
        foreach (int position in positions)
        {
            int capacity = position + sequence + 2;
            yield return new OperationCase(
                nameof(IBackend.CachedAttention),
                [
                    .. inputs, Accumulator("keyCache", batch * capacity, keyValueHeads * width) with { Required = true },
                    Accumulator("valueCache", batch * capacity, keyValueHeads * width) with { Required = true }, Output("o", rows, heads * width),
                ],
                (b, t) => b.CachedAttention(t["q"], t["k"], t["v"], t["keyCache"], t["valueCache"], t["o"], shape))
            { Step = step with { Position = position }, Tolerance = 5e-6 };
        }
    }
}
