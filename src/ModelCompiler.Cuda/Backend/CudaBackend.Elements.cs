using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Operations element by element.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h) => ForRows("swiglu", h.Rows, h.Columns, Pack(gate, up, h).Add(h.Columns), h.Type);

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        ForRows("swiglu_gradient", dh.Rows, dh.Columns, Pack(dh, gate, up, dGate, dUp, h).Add(dh.Columns), dh.Type);

    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h) => ForRows("geglu", h.Rows, h.Columns, Pack(gate, up, h).Add(h.Columns), h.Type);

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        ForRows("geglu_gradient", dh.Rows, dh.Columns, Pack(dh, gate, up, dGate, dUp, h).Add(dh.Columns), dh.Type);

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y) => ForRows("gelu", y.Rows, y.Columns, Pack(x, y).Add(y.Columns), y.Type);

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx) => ForRows("gelu_gradient", dx.Rows, dx.Columns, Pack(dy, x, dx).Add(dx.Columns), dx.Type);

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y) => ForRows("add", y.Rows, y.Columns, Pack(a, b, y).Add(y.Columns), y.Type);

    /// <inheritdoc/>
    public void ScaleChannels(Tensor x, Tensor g, Tensor y, Tensor addend = default) =>
        ForRows("gate", y.Rows, y.Columns, Pack(x, g, y, addend).Add(y.Columns), y.Type, g.Type);

    /// <inheritdoc/>
    public void ScaleChannelsGradientWeight(Tensor dy, Tensor x, Tensor dg) =>
        OverColumns("gate_gradient_weight", dg.Columns, Pack(dy, x, dg).Add(dy.Rows).Add(dy.Columns), x.Type);

    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y) =>
        ForRows("group_mean", y.Rows, y.Columns, Pack(x, y).Add(y.Columns).Add(x.Columns / Math.Max(y.Columns, 1)), x.Type);

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor addend = default) => ForRows(
        "group_mean_gradient", dx.Rows, dx.Columns, Pack(dy, dx, addend).Add(dx.Columns).Add(dx.Columns / Math.Max(dy.Columns, 1)), dy.Type);

    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap) => ForRows("soft_cap", y.Rows, y.Columns, Pack(x, y).Add(y.Columns).Add(cap), y.Type);

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap) =>
        ForRows("soft_cap_gradient", dx.Rows, dx.Columns, Pack(dy, y, dx).Add(dx.Columns).Add(cap), dx.Type);
}
