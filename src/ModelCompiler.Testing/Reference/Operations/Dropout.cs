using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> xt = Row(x, t);
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = DropoutMask.Keeps(key, firstRow + t, i, rate) ? xt[i] / (1 - (double)rate) : 0;
            }
        }
    }
}
