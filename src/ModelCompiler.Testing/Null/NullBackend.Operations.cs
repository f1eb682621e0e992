using System.Runtime.CompilerServices;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Null;

public sealed partial class NullBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1) => Gather(y, table, scale == 1 ? 0 : y.Count, [ids, y]);

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1) =>
        Gather(gradient.IsNone ? gradient : dy, gradient, (scale == 1 ? 1 : 2) * dy.Count, [dy, ids], passes: 2);

    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y) => Gather(y, table, y.Count, [x, y]);

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient) => Gather(gradient.IsNone ? gradient : dy, gradient, dy.Count, [dy], passes: 2);

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon)
    {
        if (!y.IsNone || !rstd.IsNone)
        {
            Record(2 * x.Count + 2 * y.Count, [x, w, y, rstd]);
        }
    }

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default) =>
        Launch(dx, 7 * dx.Count + plus.Count, [dy, x, w, rstd, dx, plus]);

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw) => Launch(dw, 3 * dy.Count, [dy, x, rstd, dw, dw]);

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, float epsilon)
    {
        if (!y.IsNone || !statistics.IsNone)
        {
            Record(4 * x.Count + (b.IsNone ? 3 : 4) * y.Count, [x, w, b, y, statistics]);
        }
    }

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor plus = default) =>
        Launch(dx, 10 * dx.Count + plus.Count, [dy, x, w, statistics, dx, plus]);

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw) => Launch(dw, 4 * dy.Count, [dy, x, statistics, dw, dw]);

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor plus = default, float scale = 1) =>
        Launch(y, 2 * y.Count * x.Columns + Extra(y, bias, plus, scale), [x, w, y, bias, plus]);

    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor plus = default, float scale = 1) =>
        Launch(dx, 2 * dx.Count * dy.Columns + Extra(dx, default, plus, scale), [dy, w, dx, plus]);

    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1) =>
        Launch(dw, 2 * dw.Count * dy.Rows + Extra(dw, default, default, scale), [dy, x, dw, dw]);

    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1) => Launch(db, dy.Count + Extra(db, default, default, scale), [dy, db, db]);

    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor plus = default) =>
        Launch(y, 2 * y.Count * (x.Columns + (long)h.Columns) + Extra(y, bias, plus, 1) + (scale == 1 ? 0 : h.Count), [x, w, h, b, y, bias, plus]);

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor plus = default) =>
        Launch(dx, 2 * dx.Count * (dy.Columns + (long)e.Columns) + Extra(dx, default, plus, 1), [dy, w, e, a, dx, plus]);

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Launch(y, 3 * y.Count / headWidth * rotaryWidth, [x, y]);

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default) => Launch(dx, 3 * dx.Count / headWidth * rotaryWidth, [dy, dx]);

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        if (!o.IsNone || !logSumExp.IsNone)
        {
            long products = o.IsNone ? 1 : 2;
            Record(Pairs(q.Rows, step.Sequence, 0) * (2 * products * q.Columns + 2 * heads), [q, k, v, o, logSumExp]);
        }
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads)
    {
        long outputs = (dq.IsNone ? 0 : 1) + (dk.IsNone ? 0 : 1) + (dv.IsNone ? 0 : 1);
        if (outputs > 0)
        {
            long products = outputs + (dq.IsNone && dk.IsNone ? 1 : 2);
            Record(
                Pairs(q.Rows, step.Sequence, 0) * (2 * products * q.Columns + 3 * heads) + 2 * o.Count,
                [dO, q, k, v, o, logSumExp, dq, dk, dv]);
        }
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads)
    {
        Touch(keyCache);
        Touch(valueCache);
        long cacheRows = (long)q.Rows / step.Sequence * (step.Position + step.Sequence);
        long cacheBytes = cacheRows * (keyCache.Columns * keyCache.Type.Size() + valueCache.Columns * valueCache.Type.Size());
        Record(Pairs(q.Rows, step.Sequence, step.Position) * (4L * q.Columns + 2 * heads), [q, k, v, o, k, v], cacheBytes);
    }

    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h) => Launch(h, 5 * h.Count, [gate, up, h]);

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        LaunchGradient(11, dh, gate, up, dGate, dUp, h);

    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h) => Launch(h, 9 * h.Count, [gate, up, h]);

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        LaunchGradient(19, dh, gate, up, dGate, dUp, h);

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y) => Launch(y, 8 * y.Count, [x, y]);

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx) => Launch(dx, 16 * dx.Count, [dy, x, dx]);

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y) => Launch(y, y.Count, [a, b, y]);

    /// <inheritdoc/>
    public void Gate(Tensor x, Tensor g, Tensor y, Tensor plus = default) => Launch(y, y.Count + plus.Count, [x, g, y, plus]);

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold) => Launch(c, 3 * c.Count, [c, c]);

    /// <inheritdoc/>
    public void GateGradientWeight(Tensor dy, Tensor x, Tensor dg) => Launch(dg, 2 * dy.Count, [dy, x, dg, dg]);

    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1) =>
        Launch(inverse, 2 * b.Count * (b.Columns + 2), [squares, b, inner, gram, inverse]);

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor plus = default) =>
        Launch(y, 2 * y.Count + Extra(y, bias, plus, 1), [z, m, inverse, y, bias, plus]);

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm) => Launch(dm, 2 * dy.Count + dm.Count, [dy, z, inverse, dm, dm]);

    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums) => Launch(sums, 2 * a.Count, [a, b, sums, sums]);

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2) =>
        Launch(sensitivity, 8 * w.Count, [w, g, sensitivity, uncertainty, sensitivity, uncertainty]);

    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y) => Launch(y, x.Count, [x, y]);

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor plus = default) => Launch(dx, dy.Count + plus.Count, [dy, dx, plus]);

    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0) => Launch(y, y.Count, [x, y]);

    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap) => Launch(y, 3 * y.Count, [x, y]);

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap) => Launch(dx, 4 * dx.Count, [dy, y, dx]);

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss)
    {
        if (!logSumExp.IsNone || !loss.IsNone)
        {
            Record(4 * logits.Count, [logits, targets, logSumExp, loss, loss]);
        }
    }

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits) =>
        Launch(dLogits, 3 * dLogits.Count, [logits, targets, logSumExp, dLogits]);

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum) => Launch(sum, 2 * x.Count, [x, sum, sum]);

    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step) => Launch(w, 15 * w.Count, [w, g, m, v, w, m, v]);

    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso) => Launch(w, 17 * w.Count, [w, g, m, v, w, m, v]);

    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step) =>
        Launch(w, 21 * w.Count, [w, g, m, v, mScales, vScales, w, m, v, mScales, vScales]);

    private void Launch(
        Tensor output, long flops, ReadOnlySpan<Tensor> tensors, [CallerMemberName] string operation = "")
    {
        if (!output.IsNone)
        {
            Record(flops, tensors, operation: operation);
        }
    }

    private void LaunchGradient(
        long flops, Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h, [CallerMemberName] string operation = "")
    {
        if (!dGate.IsNone || !dUp.IsNone || !h.IsNone)
        {
            Record(flops * dh.Count + 2 * h.Count, [dh, gate, up, dGate, dUp, h], operation: operation);
        }
    }

    /// <summary>A launch that reads (and with two passes writes) one row of a table per row of <paramref name="rows"/>.</summary>
    private void Gather(
        Tensor rows, Tensor table, long flops, ReadOnlySpan<Tensor> tensors, int passes = 1, [CallerMemberName] string operation = "")
    {
        if (!rows.IsNone)
        {
            Touch(table, operation);
            Record(flops, tensors, (long)passes * rows.Rows * table.Columns * table.Type.Size(), operation);
        }
    }

    /// <summary>Operations of bias, scale and C beside the product.</summary>
    private static long Extra(Tensor output, Tensor bias, Tensor plus, float scale) =>
        (bias.IsNone ? 0 : output.Count) + (plus.IsNone ? 0 : output.Count) + (scale == 1 ? 0 : output.Count);

    /// <summary>Pairs of a query and a key it may see.</summary>
    private static long Pairs(int rows, int sequence, int position) =>
        rows / sequence * ((long)sequence * position + (long)sequence * (sequence + 1) / 2);
}
