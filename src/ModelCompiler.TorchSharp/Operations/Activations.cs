using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    private const double GeluSlope = 0.7978845608028654;
    private const double GeluCube = 0.044715;

    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h)
    {
        foreach ((int first, int count) in InTurn(h.Rows, h.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor g = View(gate.Slice(first, count));
            View(h.Slice(first, count)).copy_(Scratch(count, h.Columns).copy_(g).sigmoid_().mul_(g).mul_(View(up.Slice(first, count))));
        }
    }

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default)
    {
        foreach ((int first, int count) in InTurn(dh.Rows, dh.Columns, matrices: 3))
        {
            using Work work = Begin();
            TorchTensor g = View(gate.Slice(first, count));
            TorchTensor sigmoid = Scratch(count, dh.Columns).copy_(g).sigmoid_();
            TorchTensor silu = Scratch(count, dh.Columns).copy_(sigmoid).mul_(g);
            TorchTensor slope = sigmoid.addcmul_(silu, sigmoid, Number(-1)).add_(silu, Number(1));
            FinishGated(first, count, dh, up, silu, slope, dGate, dUp, h);
        }
    }

    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h)
    {
        foreach ((int first, int count) in InTurn(h.Rows, h.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor g = View(gate.Slice(first, count));
            View(h.Slice(first, count)).copy_(GeluOf(GeluTanh(g), g).mul_(View(up.Slice(first, count))));
        }
    }

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default)
    {
        foreach ((int first, int count) in InTurn(dh.Rows, dh.Columns, matrices: 4))
        {
            using Work work = Begin();
            TorchTensor g = View(gate.Slice(first, count));
            TorchTensor tanh = GeluTanh(g);
            TorchTensor slope = GeluDerivative(tanh, g);
            FinishGated(first, count, dh, up, GeluOf(tanh, g), slope, dGate, dUp, h);
        }
    }

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y)
    {
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor rows = View(x.Slice(first, count));
            View(y.Slice(first, count)).copy_(GeluOf(GeluTanh(rows), rows));
        }
    }

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx)
    {
        foreach ((int first, int count) in InTurn(dx.Rows, dx.Columns, matrices: 2))
        {
            using Work work = Begin();
            TorchTensor rows = View(x.Slice(first, count));
            View(dx.Slice(first, count)).copy_(GeluDerivative(GeluTanh(rows), rows).mul_(View(dy.Slice(first, count))));
        }
    }

    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap)
    {
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 1))
        {
            using Work work = Begin();
            View(y.Slice(first, count)).copy_(ScratchOf(x.Slice(first, count)).div_(Number(cap)).tanh_().mul_(Number(cap)));
        }
    }

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap)
    {
        foreach ((int first, int count) in InTurn(dx.Rows, dx.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor tanh = ScratchOf(y.Slice(first, count)).div_(Number(cap));
            View(dx.Slice(first, count)).copy_(tanh.mul_(tanh).neg_().add_(Number(1), Number(1)).mul_(View(dy.Slice(first, count))));
        }
    }

    /// <summary>Everything is computed before anything is written: the outputs may lie over the inputs.</summary>
    private void FinishGated(
        int first, int count, Tensor dh, Tensor up, TorchTensor activated, TorchTensor slope, Tensor dGate, Tensor dUp, Tensor h)
    {
        TorchTensor gradient = View(dh.Slice(first, count));
        TorchTensor factor = View(up.Slice(first, count));
        TorchTensor gateGradient = slope.mul_(gradient).mul_(factor);
        TorchTensor upGradient = Scratch(count, dh.Columns).copy_(activated).mul_(gradient);
        activated.mul_(factor);
        foreach ((Tensor output, TorchTensor value) in (ReadOnlySpan<(Tensor, TorchTensor)>)[(dGate, gateGradient), (dUp, upGradient), (h, activated)])
        {
            if (!output.IsNone)
            {
                View(output.Slice(first, count)).copy_(value);
            }
        }
    }

    /// <summary>t = tanh(√(2/π) (x + 0.044715 x³)), in the workspace.</summary>
    private TorchTensor GeluTanh(TorchTensor x) =>
        Scratch(x.shape[0], x.shape[1]).copy_(x).mul_(x).mul_(Number(GeluSlope * GeluCube)).add_(Number(GeluSlope), Number(1)).mul_(x).tanh_();

    /// <summary>½ x (1 + t), over t.</summary>
    private TorchTensor GeluOf(TorchTensor tanh, TorchTensor x) => tanh.add_(Number(1), Number(1)).mul_(x).mul_(Number(0.5));

    /// <summary>½ (1 + t) + ½ x (1 − t²) √(2/π) (1 + 3 · 0.044715 x²), in the workspace.</summary>
    private TorchTensor GeluDerivative(TorchTensor tanh, TorchTensor x)
    {
        TorchTensor inner = Scratch(x.shape[0], x.shape[1]).copy_(x).mul_(x).mul_(Number(3 * GeluCube * GeluSlope)).add_(Number(GeluSlope), Number(1)).mul_(x);
        TorchTensor bend = inner.sub_(tanh.mul(tanh).mul_(inner));
        return bend.add_(tanh, Number(1)).add_(Number(1), Number(1)).mul_(Number(0.5));
    }
}
