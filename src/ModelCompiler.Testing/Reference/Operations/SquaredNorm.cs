using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum)
    {
        if (sum.IsNone)
        {
            return;
        }

        for (int t = 0; t < x.Rows; t++)
        {
            Row(sum, 0)[0] += Dot(Row(x, t), Row(x, t));
        }
    }
}
