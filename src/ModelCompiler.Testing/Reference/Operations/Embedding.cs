using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> yt = Row(y, t);
            yt.Clear();
            AddScaled(scale, WeightRow(table, Id(ids, t, table.Rows)), yt);
        }
    }

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1)
    {
        if (gradient.IsNone)
        {
            return;
        }

        for (int t = 0; t < dy.Rows; t++)
        {
            AddScaled(scale, Row(dy, t), Row(gradient, Id(ids, t, gradient.Rows)));
        }
    }
}
