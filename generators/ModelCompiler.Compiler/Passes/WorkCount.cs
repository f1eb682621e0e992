using ModelCompiler.Compiler.Graph;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Counts what operations compute and move, as polynomials in the rank: the catalogue counts at given ranks, and what it counts at 0, 1 and 2 says the
/// coefficients.
/// </summary>
/// <param name="slots">Number of adapter slots.</param>
/// <param name="absent">Whether a value is not made at all.</param>
internal sealed class WorkCount(int slots, Func<Value, bool> absent)
{
    private readonly Sizes[] _sizes = Enumerable.Range(0, 3).Select(rank => new Sizes(1, 1, 1, 1, Enumerable.Repeat(rank, slots).ToArray())).ToArray();

    private readonly record struct Counts(double Flops, double FlopsPerPosition, double Values, double Parameters);

    /// <summary>Floating-point operations, and elements read and written.</summary>
    public (Flops Flops, Traffic Traffic) Of(Op[] ops)
    {
        Counts zero = At(ops, _sizes[0]);
        Counts one = slots == 0 ? zero : At(ops, _sizes[1]);
        Counts two = slots == 0 ? zero : At(ops, _sizes[2]);
        (double linear, double squared) = Fit(zero.Flops, one.Flops, two.Flops);
        (double valuesPerRank, _) = Fit(zero.Values, one.Values, two.Values);
        (double perRank, double perSquaredRank) = Fit(zero.Parameters, one.Parameters, two.Parameters);
        return (new Flops(zero.Flops, zero.FlopsPerPosition, linear, squared), new Traffic(zero.Values, valuesPerRank, zero.Parameters, perRank, perSquaredRank));
    }

    private Counts At(Op[] ops, Sizes sizes)
    {
        (double values, double parameters) = (0, 0);
        Flops flops = default;
        foreach (Op op in ops)
        {
            flops += op.Row.Flops(op, sizes);
            Value? gathered = op.Row.Gathered(op);
            foreach (Value read in op.Inputs)
            {
                Add(read, gathered, passes: 1);
            }

            Add(op.Accumulator, gathered, passes: 1);
            Add(op.GradientOf, gathered, passes: 2);
            foreach (Value? written in op.Outputs)
            {
                Add(written is not null && absent(written) ? null : written, gathered, ReferenceEquals(written, gathered) ? 2 : 1);
            }
        }

        return new Counts(flops.PerRow, flops.PerRowAndPosition, values, parameters);

        void Add(Value? value, Value? gathered, int passes)
        {
            if (value is null)
            {
                return;
            }

            bool isGathered = ReferenceEquals(value, gathered);
            double elements = (isGathered ? 1.0 : value.Shape.Rows.Evaluate(sizes)) * passes * value.Shape.Columns.Evaluate(sizes);
            if (isGathered || value.Shape.Rows.Symbol is DimSymbol.Tokens or DimSymbol.Rows or DimSymbol.CacheRows)
            {
                values += elements;
            }
            else
            {
                parameters += elements;
            }
        }
    }

    private static (double Linear, double Squared) Fit(double zero, double one, double two)
    {
        double squared = (two - 2 * one + zero) / 2;
        return (one - zero - squared, squared);
    }
}
