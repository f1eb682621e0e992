using ModelCompiler.Adapters;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>The norms ‖W + s B A‖ of a DoRA adapter's outputs from the sum itself, row by row.</summary>
/// <param name="run">The run.</param>
/// <param name="adapter">One of its adapters.</param>
public sealed class DoraNorms(ModelRun run, DoraAdapter adapter)
{
    private readonly double[] _magnitudes = run.Read(adapter.M.Value);
    private readonly double[] _norms = Of(run, adapter);

    /// <summary>The adapter that a matrix belongs to; null where it is no matrix of a DoRA adapter.</summary>
    public static DoraNorms? OfMatrix(ModelRun run, Parameter matrix) =>
        run.Model.Adapters.OfType<DoraAdapter>().FirstOrDefault(a => a.A == matrix || a.B == matrix) is { } adapter ? new DoraNorms(run, adapter) : null;

    /// <summary>Gives the adapter squared norms that belong to its weight, and magnitudes from half to one and a half of them.</summary>
    public static void Settle(ModelRun run, DoraAdapter adapter, Random random)
    {
        double[] squares = [.. Rows(run, adapter, 0).Select(row => row.Sum(w => w * w))];
        run.Write(adapter.SquaredNorms.Value, squares);
        run.Write(adapter.M.Value, [.. squares.Select(square => Math.Sqrt(square) * (0.5 + random.NextDouble()))]);
    }

    /// <summary>
    /// Moves the magnitudes with the norms of now, so that m / ‖W + s B A‖ is what it was when this was made: backward takes the norm as a
    /// constant, and a difference has to do the same.
    /// </summary>
    public void Hold() => run.Write(adapter.M.Value, [.. Of(run, adapter).Select((norm, i) => _magnitudes[i] * norm / _norms[i])]);

    /// <summary>Gives the magnitudes back.</summary>
    public void Release() => run.Write(adapter.M.Value, _magnitudes);

    private static double[] Of(ModelRun run, DoraAdapter adapter) => [.. Rows(run, adapter, adapter.Scale).Select(row => Math.Sqrt(row.Sum(w => w * w)))];

    private static IEnumerable<double[]> Rows(ModelRun run, DoraAdapter adapter, double scale)
    {
        Parameter weight = adapter.WeightIn(run.Model);
        double[] w = weight.Value.Type == DType.Float64 ? run.Read(weight.Value) : [.. run.Model.Read(weight).Select(x => (double)x)];
        (double[] a, double[] b) = (run.Read(adapter.A.Value), run.Read(adapter.B.Value));
        (int rank, int inputs) = (adapter.Rank, adapter.Inputs);
        return Enumerable.Range(0, adapter.Outputs).Select(o => Enumerable.Range(0, inputs)
            .Select(i => w[o * inputs + i] + scale * Enumerable.Range(0, rank).Sum(k => b[o * rank + k] * a[k * inputs + i])).ToArray());
    }
}
