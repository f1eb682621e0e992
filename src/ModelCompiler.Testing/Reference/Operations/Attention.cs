using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        for (int t = 0; t < q.Rows; t++)
        {
            int first = t - t % Step.Sequence;
            Attend(q, t, k, v, first, keys: t - first + 1, o, logSumExp, shape);
        }
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, AttentionShape shape)
    {
        Zero(dq);
        Zero(dk);
        Zero(dv);
        int width = shape.HeadWidth;
        double root = 1 / Math.Sqrt(width);
        for (int head = 0; head < shape.Heads; head++)
        {
            int at = head * width;
            int from = head / shape.Group * width;
            for (int t = 0; t < q.Rows; t++)
            {
                Span<double> query = Row(q, t).Slice(at, width);
                Span<double> dOutput = Row(dO, t).Slice(at, width);
                double mean = Dot(dOutput, Row(o, t).Slice(at, width));
                for (int s = t - t % Step.Sequence; s <= t; s++)
                {
                    Span<double> key = Row(k, s).Slice(from, width);
                    double p = Math.Exp(Dot(query, key) * root - Row(logSumExp, t)[head]);
                    double dScore = p * (Dot(dOutput, Row(v, s).Slice(from, width)) - mean) * root;
                    if (!dq.IsNone)
                    {
                        AddScaled(dScore, key, Row(dq, t).Slice(at, width));
                    }

                    if (!dk.IsNone)
                    {
                        AddScaled(dScore, query, Row(dk, s).Slice(from, width));
                    }

                    if (!dv.IsNone)
                    {
                        AddScaled(p, dOutput, Row(dv, s).Slice(from, width));
                    }
                }
            }
        }
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape)
    {
        int capacity = keyCache.Rows / Step.Batch;
        for (int t = 0; t < k.Rows; t++)
        {
            int row = t / Step.Sequence * capacity + Position(t);
            Row(k, t).CopyTo(Row(keyCache, row));
            Row(v, t).CopyTo(Row(valueCache, row));
        }

        for (int t = 0; t < q.Rows; t++)
        {
            int first = t / Step.Sequence * capacity;
            Attend(q, t, keyCache, valueCache, first, keys: Position(t) + 1, o, Tensor.None, shape);
        }
    }

    /// <summary>Row t of the output, over <paramref name="keys"/> keys from row <paramref name="first"/> on; scores are made twice, never stored.</summary>
    private void Attend(Tensor q, int t, Tensor k, Tensor v, int first, int keys, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        int width = shape.HeadWidth;
        double root = 1 / Math.Sqrt(width);
        for (int head = 0; head < shape.Heads; head++)
        {
            int at = head * width;
            int from = head / shape.Group * width;
            Span<double> query = Row(q, t).Slice(at, width);
            double maximum = double.NegativeInfinity;
            for (int s = first; s < first + keys; s++)
            {
                maximum = Math.Max(maximum, Dot(query, Row(k, s).Slice(from, width)) * root);
            }

            double sum = 0;
            Span<double> output = o.IsNone ? default : Row(o, t).Slice(at, width);
            output.Clear();
            for (int s = first; s < first + keys; s++)
            {
                double weight = Math.Exp(Dot(query, Row(k, s).Slice(from, width)) * root - maximum);
                sum += weight;
                AddScaled(weight, Row(v, s).Slice(from, width), output);
            }

            for (int i = 0; i < output.Length; i++)
            {
                output[i] /= sum;
            }

            if (!logSumExp.IsNone)
            {
                Row(logSumExp, t)[head] = maximum + Math.Log(sum);
            }
        }
    }
}
