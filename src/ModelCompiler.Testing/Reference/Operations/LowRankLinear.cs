using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor plus = default)
    {
        Linear(x, w, y, bias, plus);
        Linear(h, b, y, plus: y, scale: scale);
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor plus = default)
    {
        LinearGradientInput(dy, w, dx, plus);
        LinearGradientInput(e, a, dx, plus: dx);
    }
}
