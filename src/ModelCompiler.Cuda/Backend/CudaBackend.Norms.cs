using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Norms.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, NormShape shape) =>
        OverRows("rms_norm", x.Rows * Runs(x, w), w.Columns, Pack(x, w, y, rstd).Add(w.Columns).Add(Runs(x, w)).Add(shape.Epsilon), x.Type, w.Type);

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor addend = default) =>
        OverRows("rms_norm_gradient", dx.Rows * Runs(x, w), w.Columns, Pack(dy, x, w, rstd, dx, addend).Add(w.Columns).Add(Runs(x, w)), x.Type, w.Type);

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw) =>
        OverColumns("rms_norm_gradient_weight", dw.Columns, Pack(dy, x, rstd, dw).Add(dy.Rows).Add(dw.Columns).Add(dw.IsNone ? 1 : Runs(dy, dw)), x.Type);

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, NormShape shape) =>
        OverRows("layer_norm", x.Rows, x.Columns, Pack(x, w, b, y, statistics).Add(x.Columns).Add(shape.Epsilon), x.Type, w.Type);

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor addend = default) =>
        OverRows("layer_norm_gradient", dx.Rows, dx.Columns, Pack(dy, x, w, statistics, dx, addend).Add(dx.Columns), x.Type, w.Type);

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw) =>
        OverColumns("layer_norm_gradient_weight", dw.Columns, Pack(dy, x, statistics, dw).Add(dy.Rows).Add(dy.Columns), x.Type);

    /// <summary>How many runs of channels, each as wide as the weight, lie side by side in a row.</summary>
    private static int Runs(Tensor x, Tensor weight) => x.Columns / weight.Columns;
}
