using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums)
    {
        for (int t = 0; t < a.Rows && !sums.IsNone; t++)
        {
            for (int i = 0; i < a.Columns; i++)
            {
                Row(sums, 0)[t] += Row(a, t)[i] * Row(b, t)[i];
            }
        }
    }

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2)
    {
        for (int t = 0; t < w.Rows; t++)
        {
            for (int i = 0; i < w.Columns; i++)
            {
                double importance = Math.Abs(Row(w, t)[i] * Row(g, t)[i]);
                double smoothed = beta1 * Row(sensitivity, t)[i] + (1 - (double)beta1) * importance;
                Row(sensitivity, t)[i] = smoothed;
                Row(uncertainty, t)[i] = beta2 * Row(uncertainty, t)[i] + (1 - (double)beta2) * Math.Abs(importance - smoothed);
            }
        }
    }
}
