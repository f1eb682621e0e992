using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> at = Row(a, t);
            Span<double> bt = Row(b, t);
            Span<double> yt = Row(y, t);
            for (int i = 0; i < yt.Length; i++)
            {
                yt[i] = at[i] + bt[i];
            }
        }
    }
}
