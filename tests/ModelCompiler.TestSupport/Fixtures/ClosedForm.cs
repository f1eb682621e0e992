namespace ModelCompiler.Tests.Fixtures;

/// <summary>The formulas by which fixtures define parameters and adapters, so that no weights need to be stored.</summary>
public static class ClosedForm
{
    /// <summary>Element [i, j] of a parameter; a vector has j = 0.</summary>
    /// <param name="name">Its Hugging Face name; norm weights and layer scales are centered on one.</param>
    /// <param name="number">Its place among the model's parameter names in ordinal order, from 0.</param>
    /// <param name="i">Row.</param>
    /// <param name="j">Column.</param>
    public static double Parameter(string name, int number, int i, int j)
    {
        double wave = 0.3 * Math.Cos(1 + 0.7 * i + 0.3 * j + 0.11 * i * j + 1.3 * number);
        bool centeredOnOne = name.EndsWith("norm.weight", StringComparison.Ordinal) || name.EndsWith(".layer_scale", StringComparison.Ordinal);
        return centeredOnOne ? 1 + wave : wave;
    }

    /// <summary>Every element of a parameter, row-major.</summary>
    public static double[] Parameter(string name, int number, IReadOnlyList<int> shape) =>
        Fill(shape, (i, j) => Parameter(name, number, i, j));

    /// <summary>LoRA's A, [rank, inputs], row-major: A[i, j] = 0.05 cos(1 + 7 i + 3 j + 11 layer + offset).</summary>
    public static double[] LoraA(int rank, int inputs, int layer, int offset) =>
        Fill([rank, inputs], (i, j) => 0.05 * Math.Cos(1.0 + i * 7 + j * 3 + layer * 11 + offset));

    /// <summary>LoRA's B, [outputs, rank], row-major: B[i, j] = 0.03 sin(2 + 5 i + 3 j + 7 layer + offset).</summary>
    public static double[] LoraB(int outputs, int rank, int layer, int offset) =>
        Fill([outputs, rank], (i, j) => 0.03 * Math.Sin(2.0 + i * 5 + j * 3 + layer * 7 + offset));

    /// <summary>The token ids of every fixture: token[b, t] = (7 + 31 t + 17 b + 3 t²) mod vocabulary.</summary>
    public static int Token(int row, int position, int vocabulary) =>
        (7 + 31 * position + 17 * row + 3 * position * position) % vocabulary;

    private static double[] Fill(IReadOnlyList<int> shape, Func<int, int, double> value)
    {
        int columns = shape.Count > 1 ? shape[1] : 1;
        var values = new double[shape[0] * columns];
        for (int k = 0; k < values.Length; k++)
        {
            values[k] = value(k / columns, k % columns);
        }

        return values;
    }
}
