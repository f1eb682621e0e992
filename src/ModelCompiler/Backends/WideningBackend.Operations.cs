using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

internal sealed partial class WideningBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1)
    {
        _inner.Embedding(ids, table, Out(y), scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1)
    {
        _inner.EmbeddingGradient(In(dy), ids, gradient, scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y)
    {
        _inner.LearnedPositions(In(x), table, Out(y));
        Narrow();
    }

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient)
    {
        _inner.LearnedPositionsGradient(In(dy), gradient);
        Narrow();
    }

    /// <inheritdoc/>
    public void RmsNorm(Tensor x, Tensor w, Tensor y, Tensor rstd, float epsilon)
    {
        _inner.RmsNorm(In(x), w, Out(y), rstd, epsilon);
        Narrow();
    }

    /// <inheritdoc/>
    public void RmsNormGradient(Tensor dy, Tensor x, Tensor w, Tensor rstd, Tensor dx, Tensor plus = default)
    {
        _inner.RmsNormGradient(In(dy), In(x), w, rstd, Out(dx), In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void RmsNormGradientWeight(Tensor dy, Tensor x, Tensor rstd, Tensor dw)
    {
        _inner.RmsNormGradientWeight(In(dy), In(x), rstd, dw);
        Narrow();
    }

    /// <inheritdoc/>
    public void LayerNorm(Tensor x, Tensor w, Tensor b, Tensor y, Tensor statistics, float epsilon)
    {
        _inner.LayerNorm(In(x), w, b, Out(y), statistics, epsilon);
        Narrow();
    }

    /// <inheritdoc/>
    public void LayerNormGradient(Tensor dy, Tensor x, Tensor w, Tensor statistics, Tensor dx, Tensor plus = default)
    {
        _inner.LayerNormGradient(In(dy), In(x), w, statistics, Out(dx), In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void LayerNormGradientWeight(Tensor dy, Tensor x, Tensor statistics, Tensor dw)
    {
        _inner.LayerNormGradientWeight(In(dy), In(x), statistics, dw);
        Narrow();
    }

    /// <inheritdoc/>
    public void Linear(Tensor x, Tensor w, Tensor y, Tensor bias = default, Tensor plus = default, float scale = 1)
    {
        _inner.Linear(In(x), w, Out(y), bias, In(plus), scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void LinearGradientInput(Tensor dy, Tensor w, Tensor dx, Tensor plus = default, float scale = 1)
    {
        _inner.LinearGradientInput(In(dy), w, Out(dx), In(plus), scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void LinearGradientWeight(Tensor dy, Tensor x, Tensor dw, float scale = 1)
    {
        _inner.LinearGradientWeight(In(dy), In(x), dw, scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1)
    {
        _inner.LinearGradientBias(In(dy), db, scale);
        Narrow();
    }

    /// <inheritdoc/>
    public void LowRankLinear(Tensor x, Tensor w, Tensor h, Tensor b, Tensor y, float scale, Tensor bias = default, Tensor plus = default)
    {
        _inner.LowRankLinear(In(x), w, In(h), b, Out(y), scale, bias, In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void LowRankLinearGradientInput(Tensor dy, Tensor w, Tensor e, Tensor a, Tensor dx, Tensor plus = default)
    {
        _inner.LowRankLinearGradientInput(In(dy), w, In(e), a, Out(dx), In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void Rotary(Tensor x, Tensor y, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default)
    {
        _inner.Rotary(In(x), Out(y), headWidth, rotaryWidth, theta, scaling);
        Narrow();
    }

    /// <inheritdoc/>
    public void RotaryGradient(Tensor dy, Tensor dx, int headWidth, int rotaryWidth, float theta, FrequencyScaling scaling = default)
    {
        _inner.RotaryGradient(In(dy), Out(dx), headWidth, rotaryWidth, theta, scaling);
        Narrow();
    }

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        _inner.Attention(In(q), In(k), In(v), Out(o), logSumExp, heads, keyValueHeads);
        Narrow();
    }

    /// <inheritdoc/>
    public void AttentionGradient(Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads)
    {
        _inner.AttentionGradient(In(dO), In(q), In(k), In(v), In(o), logSumExp, Out(dq), Out(dk), Out(dv), heads, keyValueHeads);
        Narrow();
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads)
    {
        _inner.CachedAttention(In(q), In(k), In(v), keyCache, valueCache, Out(o), heads, keyValueHeads);
        Narrow();
    }

    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h)
    {
        _inner.SwiGlu(In(gate), In(up), Out(h));
        Narrow();
    }

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default)
    {
        _inner.SwiGluGradient(In(dh), In(gate), In(up), Out(dGate), Out(dUp), Out(h));
        Narrow();
    }

    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h)
    {
        _inner.GeGlu(In(gate), In(up), Out(h));
        Narrow();
    }

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default)
    {
        _inner.GeGluGradient(In(dh), In(gate), In(up), Out(dGate), Out(dUp), Out(h));
        Narrow();
    }

    /// <inheritdoc/>
    public void Gelu(Tensor x, Tensor y)
    {
        _inner.Gelu(In(x), Out(y));
        Narrow();
    }

    /// <inheritdoc/>
    public void GeluGradient(Tensor dy, Tensor x, Tensor dx)
    {
        _inner.GeluGradient(In(dy), In(x), Out(dx));
        Narrow();
    }

    /// <inheritdoc/>
    public void Add(Tensor a, Tensor b, Tensor y)
    {
        _inner.Add(In(a), In(b), Out(y));
        Narrow();
    }

    /// <inheritdoc/>
    public void Gate(Tensor x, Tensor g, Tensor y, Tensor plus = default)
    {
        _inner.Gate(In(x), g, Out(y), In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void GateGradientWeight(Tensor dy, Tensor x, Tensor dg)
    {
        _inner.GateGradientWeight(In(dy), In(x), dg);
        Narrow();
    }

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor plus = default)
    {
        _inner.Magnitude(In(z), m, inverse, Out(y), bias, In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm)
    {
        _inner.MagnitudeGradient(In(dy), In(z), inverse, dm);
        Narrow();
    }

    /// <inheritdoc/>
    public void GroupMean(Tensor x, Tensor y)
    {
        _inner.GroupMean(In(x), Out(y));
        Narrow();
    }

    /// <inheritdoc/>
    public void GroupMeanGradient(Tensor dy, Tensor dx, Tensor plus = default)
    {
        _inner.GroupMeanGradient(In(dy), Out(dx), In(plus));
        Narrow();
    }

    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0)
    {
        _inner.Dropout(In(x), Out(y), rate, key, firstRow);
        Narrow();
    }

    /// <inheritdoc/>
    public void SoftCap(Tensor x, Tensor y, float cap)
    {
        _inner.SoftCap(In(x), Out(y), cap);
        Narrow();
    }

    /// <inheritdoc/>
    public void SoftCapGradient(Tensor dy, Tensor y, Tensor dx, float cap)
    {
        _inner.SoftCapGradient(In(dy), In(y), Out(dx), cap);
        Narrow();
    }

    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1) =>
        _inner.InverseRowNorm(squares, b, inner, gram, inverse, scale);

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold) =>
        _inner.ShrinkGates(c, threshold);

    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums) =>
        _inner.RowProducts(a, b, sums);

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2) =>
        _inner.Importance(w, g, sensitivity, uncertainty, beta1, beta2);

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, Tensor targets, Tensor logSumExp, Tensor loss) =>
        _inner.CrossEntropy(logits, targets, logSumExp, loss);

    /// <inheritdoc/>
    public void CrossEntropyGradient(Tensor logits, Tensor targets, Tensor logSumExp, Tensor dLogits) =>
        _inner.CrossEntropyGradient(logits, targets, logSumExp, dLogits);

    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum) =>
        _inner.SquaredNorm(x, sum);

    /// <inheritdoc/>
    public void AdamW(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step) =>
        _inner.AdamW(w, g, m, v, in step);

    /// <inheritdoc/>
    public void AdamE(Tensor w, Tensor g, Tensor m, Tensor v, in AdamWStep step, double lasso) =>
        _inner.AdamE(w, g, m, v, in step, lasso);

    /// <inheritdoc/>
    public void AdamW8Bit(Tensor w, Tensor g, Tensor m, Tensor v, Tensor mScales, Tensor vScales, in AdamWStep step) =>
        _inner.AdamW8Bit(w, g, m, v, mScales, vScales, in step);
}
