using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Counts what operations compute and move, as polynomials in the rank. Of elements the shapes say the powers; of operations the catalog counts at
/// given ranks, and what it counts at 0, 1 and 2 says the coefficients.
/// </summary>
/// <param name="slots">Number of adapter slots.</param>
/// <param name="absent">Whether an output is not made at all.</param>
internal sealed class WorkCount(int slots, Func<Value, bool> absent)
{
    private readonly Sizes[] _sizes = [At(0, slots), At(1, slots), At(2, slots)];

    /// <summary>Elements by the power of the rank: of values, for a row, and of parameters.</summary>
    private readonly long[] _values = new long[3];
    private readonly long[] _parameters = new long[3];

    /// <summary>What operations compute, read and write.</summary>
    public Work Of(Op[] ops)
    {
        Array.Clear(_values, 0, _values.Length);
        Array.Clear(_parameters, 0, _parameters.Length);
        Flops flops = default;
        foreach (Op op in ops)
        {
            flops += Count(op, CountElements(op));
        }

        return new Work(ops.Length, flops, new Traffic(_values[0], _values[1], _parameters[0], _parameters[1], _parameters[2]));
    }

    /// <summary>Counts the elements of an operation's operands; returns whether any of them has the rank in its shape.</summary>
    private bool CountElements(Op op)
    {
        Value? gathered = op.Operation.Gathered(op);
        bool ranked = false;
        foreach (Value read in op.Inputs)
        {
            Add(read, passes: 1);
        }

        Add(op.Accumulator, passes: 1);
        Add(op.GradientOf, passes: 2);
        for (int i = 0; i < op.Outputs.Length; i++)
        {
            if (op.Outputs[i] is { } written && !(i > 0 && absent(written)))
            {
                Add(written, ReferenceEquals(written, gathered) ? 2 : 1);
            }
        }

        return ranked;

        void Add(Value? value, int passes)
        {
            if (value is null)
            {
                return;
            }

            (Dim rows, Dim columns) = (value.Shape.Rows, value.Shape.Columns);
            bool isGathered = ReferenceEquals(value, gathered);
            int power = (columns.Symbol == DimSymbol.Rank ? 1 : 0) + (!isGathered && rows.Symbol == DimSymbol.Rank ? 1 : 0);
            ranked |= power > 0;
            bool byRow = isGathered || rows.Symbol is DimSymbol.Tokens or DimSymbol.Rows or DimSymbol.CacheRows;
            (byRow ? _values : _parameters)[power] += (isGathered ? 1L : rows.Factor) * columns.Factor * passes;
        }
    }

    private Flops Count(Op op, bool ranked)
    {
        Flops zero = op.Operation.Flops(op, _sizes[0]);
        if (!ranked)
        {
            return zero;
        }

        (double one, double two) = (op.Operation.Flops(op, _sizes[1]).PerRow, op.Operation.Flops(op, _sizes[2]).PerRow);
        double squared = (two - 2 * one + zero.PerRow) / 2;
        return zero with { PerRowAndRank = one - zero.PerRow - squared, PerRowAndSquaredRank = squared };
    }

    private static Sizes At(int rank, int slots) => new(1, 1, 1, 1, Enumerable.Repeat(rank, slots).ToArray());
}
