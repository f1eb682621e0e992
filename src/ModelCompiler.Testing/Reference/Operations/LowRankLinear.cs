using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor addend = default)
    {
        Linear(x, w, y, bias, addend);
        Linear(h, b, y, addend: y, scale: scale);
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor addend = default)
    {
        LinearGradientInput(dy, w, dx, addend);
        LinearGradientInput(e, a, dx, addend: dx);
    }
}
