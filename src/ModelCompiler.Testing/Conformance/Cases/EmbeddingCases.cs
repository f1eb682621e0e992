using ModelCompiler.Backends;
using static ModelCompiler.Testing.Conformance.Operand;

namespace ModelCompiler.Testing.Conformance.Cases;

internal static class EmbeddingCases
{
    public static IEnumerable<OperationCase> All()
    {
        foreach ((int rows, int columns) in OperationCases.Sizes)
        {
            int vocabulary = rows / 2 + 1;
            yield return new OperationCase(
                nameof(IBackend.Embedding),
                [Ids("ids", rows, vocabulary), Weight("table", vocabulary, columns), Output("y", rows, columns)],
                (b, t) => b.Embedding(t["ids"], t["table"], t["y"], 1.75f));
            yield return new OperationCase(
                nameof(IBackend.EmbeddingGradient),
                [Input("dy", rows, columns), Ids("ids", rows, vocabulary), Accumulator("gradient", vocabulary, columns)],
                (b, t) => b.EmbeddingGradient(t["dy"], t["ids"], t["gradient"], 1.75f));

            foreach ((Step step, int tokens) in Steps(rows))
            {
                int positions = step.Position + step.Sequence;
                yield return new OperationCase(
                    nameof(IBackend.LearnedPositions),
                    [Input("x", tokens, columns), Weight("table", positions, columns), Output("y", tokens, columns)],
                    (b, t) => b.LearnedPositions(t["x"], t["table"], t["y"]))
                { Step = step, InPlace = ["y=x"] };
                yield return new OperationCase(
                    nameof(IBackend.LearnedPositionsGradient),
                    [Input("dy", tokens, columns), Accumulator("gradient", positions + 1, columns)],
                    (b, t) => b.LearnedPositionsGradient(t["dy"], t["gradient"]))
                { Step = step };
            }
        }
    }

    /// <summary>One long sequence, several short ones, and a later position.</summary>
    public static IEnumerable<(Step Step, int Rows)> Steps(int rows)
    {
        yield return (new Step(Batch: 1, Sequence: rows), rows);
        yield return (new Step(Batch: 3, Sequence: rows / 3 + 1, Position: 4), 3 * (rows / 3 + 1));
    }
}
