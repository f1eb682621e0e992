using ModelCompiler.Models;
using ModelCompiler.Numerics;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;

namespace ModelCompiler.Adapters;

/// <summary>Starts of LoRA from the largest singular values of a weight, or of what quantizing loses of it. Weights are [out, in], row after row.</summary>
internal static class SpectralStart
{
    /// <summary>
    /// PiSSA: A = √(S/s) · Vᵀ and B = U · √(S/s) of the r largest singular values S (Meng, Wang and Zhang 2024, section 3), so that s · B A is the
    /// best approximation of its rank. What is to stay as the weight is W − s · B A.
    /// </summary>
    public static LowRankFactors Pissa(float[] weight, int outputs, int inputs, int rank, float scale) => Factors(weight, outputs, inputs, rank, scale, balanced: true);

    /// <summary>
    /// LoftQ: Q = quantized(R), starting with R = W; √S · Vᵀ and U · √S of the r largest singular values of W − Q; R = W less their product; and so on
    /// (Li et al. 2023, algorithm 1). The quotient by s is B's alone.
    /// </summary>
    /// <param name="weight">W, before quantization.</param>
    /// <param name="outputs">Rows.</param>
    /// <param name="inputs">Columns.</param>
    /// <param name="type">The quantized type.</param>
    /// <param name="rank">r.</param>
    /// <param name="scale">s.</param>
    /// <param name="iterations">How often, from 1.</param>
    /// <returns>The adapter, and R as it was when it was quantized last.</returns>
    public static (LowRankFactors Adapter, float[] Weight) Loftq(float[] weight, int outputs, int inputs, DType type, int rank, float scale, int iterations)
    {
        float[] rest = weight;
        LowRankFactors adapter = Lost(rest);
        for (int i = 1; i < iterations; i++)
        {
            rest = [.. weight];
            Add(rest, adapter, -scale);
            adapter = Lost(rest);
        }

        return (adapter, rest);

        LowRankFactors Lost(float[] quantized)
        {
            var lost = new float[weight.Length];
            Dequantization.Read(type, outputs, inputs, WeightQuantizer.Quantize(type, outputs, inputs, quantized), 0, lost);
            for (int i = 0; i < lost.Length; i++)
            {
                lost[i] = weight[i] - lost[i];
            }

            return Factors(lost, outputs, inputs, rank, scale, balanced: false);
        }
    }

    /// <summary>W += factor · B A, each element a sum in double.</summary>
    public static void Add(float[] weight, LowRankFactors module, double factor)
    {
        double[][] a = [.. Enumerable.Range(0, module.Rank).Select(k => Array.ConvertAll(module.A[(k * module.Inputs)..((k + 1) * module.Inputs)], x => (double)x))];
        Parallel.For(0, module.Outputs, i =>
        {
            Span<float> row = weight.AsSpan(i * module.Inputs, module.Inputs);
            var sum = new double[row.Length];
            for (int k = 0; k < module.Rank; k++)
            {
                Rows.Add(sum, factor * module.B[i * module.Rank + k], a[k]);
            }

            for (int j = 0; j < row.Length; j++)
            {
                row[j] = (float)(row[j] + sum[j]);
            }
        });
    }

    private static LowRankFactors Factors(float[] matrix, int outputs, int inputs, int rank, float scale, bool balanced)
    {
        (double[] u, double[] values, double[] vt) = SingularValues.Largest(matrix, outputs, inputs, rank);
        var a = new float[rank * inputs];
        var b = new float[outputs * rank];
        for (int i = 0; i < a.Length; i++)
        {
            a[i] = (float)(vt[i] * Math.Sqrt(values[i / inputs] / (balanced ? scale : 1)));
        }

        for (int i = 0; i < b.Length; i++)
        {
            b[i] = (float)(u[i] * Math.Sqrt(values[i % rank] / (balanced ? scale : 1)) / (balanced ? 1 : scale));
        }

        return new LowRankFactors(rank, inputs, outputs, a, b);
    }
}
