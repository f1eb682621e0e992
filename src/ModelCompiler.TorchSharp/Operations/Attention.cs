using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        for (int first = 0; first < q.Rows; first += _step.Sequence)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            Attend(Rows(q, first, rows), k.Slice(first, rows), v.Slice(first, rows), before: 0, Rows(o, first, rows), Rows(logSumExp, first, rows), heads, keyValueHeads);
        }
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, int heads, int keyValueHeads)
    {
        int capacity = keyCache.Rows / _step.Batch;
        for (int first = 0, start = 0; first < q.Rows; first += _step.Sequence, start += capacity)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            Copy(k.Slice(first, rows), keyCache.Slice(start + _step.Position, rows));
            Copy(v.Slice(first, rows), valueCache.Slice(start + _step.Position, rows));
            int keys = _step.Position + rows;
            Attend(Rows(q, first, rows), keyCache.Slice(start, keys), valueCache.Slice(start, keys), _step.Position, Rows(o, first, rows), Tensor.None, heads, keyValueHeads);
        }
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, int heads, int keyValueHeads)
    {
        foreach (Tensor gradient in (ReadOnlySpan<Tensor>)[dq, dk, dv])
        {
            Zero(gradient);
        }

        for (int first = 0; first < q.Rows; first += _step.Sequence)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            foreach ((int from, int count) in InTurn(rows, rows, matrices: 4))
            {
                using Work work = Begin();
                TorchTensor future = Future(count);
                int keys = from + count;
                for (int head = 0; head < heads; head++)
                {
                    long freed = _scratchEnd;
                    int shared = head / (heads / keyValueHeads);
                    TorchTensor OfHead(Tensor x, int row, int length, int index, int all) => Values(x.Slice(row, length), index, all);
                    TorchTensor query = OfHead(q, first + from, count, head, heads);
                    TorchTensor key = OfHead(k, first, keys, shared, keyValueHeads);
                    TorchTensor value = OfHead(v, first, keys, shared, keyValueHeads);
                    TorchTensor gradient = OfHead(dO, first + from, count, head, heads);
                    TorchTensor normaliser = View(logSumExp.Slice(first + from, count)).narrow(1, head, 1);
                    TorchTensor probabilities = Scores(query, key, future).sub_(normaliser).exp_();
                    if (!dv.IsNone)
                    {
                        Multiply(probabilities.t(), gradient, Head(dv.Slice(first, keys), shared, keyValueHeads), adds: true, scale: 1);
                    }

                    TorchTensor mean = gradient.mul(OfHead(o, first + from, count, head, heads)).sum(1, keepdim: true);
                    TorchTensor slopes = Scratch(count, keys).addmm_(gradient, value.t(), beta: 0, alpha: 1).sub_(mean).mul_(probabilities);
                    float root = 1 / MathF.Sqrt(query.shape[1]);
                    if (!dq.IsNone)
                    {
                        Multiply(slopes, key, Head(dq.Slice(first + from, count), head, heads), adds: true, root);
                    }

                    if (!dk.IsNone)
                    {
                        Multiply(slopes.t(), query, Head(dk.Slice(first, keys), shared, keyValueHeads), adds: true, root);
                    }

                    _scratchEnd = freed;
                }
            }
        }
    }

    /// <summary>One sequence: query row i sees the first <paramref name="before"/> + i + 1 keys. A few rows' scores exist at a time.</summary>
    private void Attend(Tensor q, Tensor k, Tensor v, int before, Tensor o, Tensor logSumExp, int heads, int keyValueHeads)
    {
        foreach ((int first, int count) in InTurn(q.Rows, k.Rows, matrices: 3))
        {
            using Work work = Begin();
            TorchTensor future = Future(count);
            int keys = before + first + count;
            for (int head = 0; head < heads; head++)
            {
                long freed = _scratchEnd;
                int shared = head / (heads / keyValueHeads);
                TorchTensor scores = Scores(Values(q.Slice(first, count), head, heads), Values(k.Slice(0, keys), shared, keyValueHeads), future);
                TorchTensor maximum = scores.amax([1L], keepdim: true);
                TorchTensor sum = scores.sub_(maximum).exp_().sum(1, keepdim: true);
                if (!o.IsNone)
                {
                    Head(o.Slice(first, count), head, heads).copy_(scores.mm(Values(v.Slice(0, keys), shared, keyValueHeads)).div_(sum));
                }

                if (!logSumExp.IsNone)
                {
                    View(logSumExp.Slice(first, count)).narrow(1, head, 1).copy_(sum.log_().add_(maximum, Number(1)));
                }

                _scratchEnd = freed;
            }
        }
    }

    /// <summary>q kᵀ / √width in the workspace, −∞ where the key comes after the query; the last keys are those of the queries themselves.</summary>
    private TorchTensor Scores(TorchTensor query, TorchTensor key, TorchTensor future)
    {
        (long rows, long keys) = (query.shape[0], key.shape[0]);
        TorchTensor scores = Scratch(rows, keys).addmm_(query, key.t(), beta: 0, alpha: 1 / MathF.Sqrt(query.shape[1]));
        scores.narrow(1, keys - rows, rows).add_(future, Number(1));
        return scores;
    }

    /// <summary>[rows, rows]: −∞ above the diagonal, else 0.</summary>
    private TorchTensor Future(int rows) => Scratch(rows, rows).fill_(Number(double.NegativeInfinity)).triu_(1);

    /// <summary>The channels of one head.</summary>
    private TorchTensor Head(Tensor x, int head, int heads) => View(x.Window(0, x.Rows, head * (x.Columns / heads), x.Columns / heads));

    /// <summary>Those as Float32.</summary>
    private TorchTensor Values(Tensor x, int head, int heads) => Head(x, head, heads).to_type(torch.ScalarType.Float32);

    private static Tensor Rows(Tensor x, int first, int count) => x.IsNone ? x : x.Slice(first, count);
}
