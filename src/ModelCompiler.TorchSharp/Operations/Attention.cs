using ModelCompiler.Backends;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <summary>Rows of queries at a time: enough for a product, and few of their scores are of keys that come after them all.</summary>
    private const int QueryRows = 64;

    /// <inheritdoc/>
    public void Attention(Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        for (int first = 0; first < q.Rows; first += _step.Sequence)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            Attend(Rows(q, first, rows), k.Slice(first, rows), v.Slice(first, rows), before: 0, Rows(o, first, rows), Rows(logSumExp, first, rows), shape);
        }
    }

    /// <inheritdoc/>
    public void CachedAttention(Tensor q, Tensor k, Tensor v, Tensor keyCache, Tensor valueCache, Tensor o, AttentionShape shape)
    {
        int capacity = keyCache.Rows / _step.Batch;
        for (int first = 0, start = 0; first < q.Rows; first += _step.Sequence, start += capacity)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            Copy(k.Slice(first, rows), keyCache.Slice(start + _step.Position, rows));
            Copy(v.Slice(first, rows), valueCache.Slice(start + _step.Position, rows));
            int keys = _step.Position + rows;
            Attend(Rows(q, first, rows), keyCache.Slice(start, keys), valueCache.Slice(start, keys), _step.Position, Rows(o, first, rows), Tensor.None, shape);
        }
    }

    /// <inheritdoc/>
    public void AttentionGradient(
        Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, AttentionShape shape)
    {
        for (int first = 0; first < q.Rows; first += _step.Sequence)
        {
            int rows = Math.Min(_step.Sequence, q.Rows - first);
            Tensor Of(Tensor x) => Rows(x, first, rows);
            foreach (HeadGroup group in HeadGroups(rows, shape))
            {
                AttendBack(Of(dO), Of(q), Of(k), Of(v), Of(o), Of(logSumExp), Of(dq), Of(dk), Of(dv), group);
            }
        }
    }

    /// <summary>One sequence: query row i sees the first <paramref name="before"/> + i + 1 keys. A few rows' scores of a few heads exist at a time.</summary>
    private void Attend(Tensor q, Tensor k, Tensor v, int before, Tensor o, Tensor logSumExp, AttentionShape shape)
    {
        foreach (HeadGroup group in HeadGroups(k.Rows, shape))
        {
            using Work work = Begin();
            (TorchTensor keys, TorchTensor values) = (Values(k, group.Shared), Values(v, group.Shared));
            foreach ((int first, int count) in QueriesInTurn(q.Rows, k.Rows))
            {
                int seen = before + first + count;
                foreach (HeadRange some in group.Queries)
                {
                    using DisposeScope scope = torch.NewDisposeScope();
                    TorchTensor scores = Scores(ScaledQueries(q.Slice(first, count), some), keys.narrow(1, 0, seen));
                    TorchTensor maximum = scores.amax([2L], keepdim: true);
                    TorchTensor sum = scores.sub_(maximum).exp_().sum(2, keepdim: true);
                    if (!o.IsNone)
                    {
                        Heads(o.Slice(first, count), some).copy_(scores.bmm(values.narrow(1, 0, seen)).div_(sum));
                    }

                    if (!logSumExp.IsNone)
                    {
                        Heads(logSumExp.Slice(first, count), some).copy_(sum.log_().add_(maximum, Number(1)));
                    }
                }
            }
        }
    }

    /// <summary>The gradients of some key heads of one sequence, and of the query heads that read them.</summary>
    private void AttendBack(Tensor dO, Tensor q, Tensor k, Tensor v, Tensor o, Tensor logSumExp, Tensor dq, Tensor dk, Tensor dv, HeadGroup group)
    {
        using Work work = Begin();
        (TorchTensor keys, TorchTensor values) = (Values(k, group.Shared), Values(v, group.Shared));
        (TorchTensor keyGradient, TorchTensor valueGradient) = (torch.zeros_like(keys), torch.zeros_like(values));
        double root = 1 / Math.Sqrt(keys.shape[2]);
        foreach ((int first, int count) in QueriesInTurn(q.Rows, k.Rows))
        {
            int seen = first + count;
            (TorchTensor seenKeys, TorchTensor seenValues) = (keys.narrow(1, 0, seen), values.narrow(1, 0, seen));
            foreach (HeadRange some in group.Queries)
            {
                using DisposeScope scope = torch.NewDisposeScope();
                TorchTensor queries = ScaledQueries(q.Slice(first, count), some);
                TorchTensor gradient = Values(dO.Slice(first, count), some);
                TorchTensor probabilities = Scores(queries, seenKeys).sub_(Heads(logSumExp.Slice(first, count), some)).exp_();
                if (!dv.IsNone)
                {
                    valueGradient.narrow(1, 0, seen).add_(probabilities.transpose(1, 2).bmm(gradient), Number(1));
                }

                TorchTensor mean = gradient.mul(Heads(o.Slice(first, count), some)).sum(2, keepdim: true);
                TorchTensor slopes = gradient.bmm(seenValues.transpose(1, 2)).sub_(mean).mul_(probabilities);
                if (!dq.IsNone)
                {
                    Heads(dq.Slice(first, count), some).copy_(slopes.bmm(seenKeys).mul_(Number(root)));
                }

                if (!dk.IsNone)
                {
                    keyGradient.narrow(1, 0, seen).add_(slopes.transpose(1, 2).bmm(queries), Number(1));
                }
            }
        }

        foreach ((Tensor output, TorchTensor sum) in (ReadOnlySpan<(Tensor, TorchTensor)>)[(dk, keyGradient), (dv, valueGradient)])
        {
            if (!output.IsNone)
            {
                Heads(output, group.Shared).copy_(sum);
            }
        }
    }

    /// <summary>q kᵀ, −∞ where the key comes after the query; the last keys are those of the queries themselves. [heads, queries, keys].</summary>
    private TorchTensor Scores(TorchTensor queries, TorchTensor keys)
    {
        (long rows, long seen) = (queries.shape[1], keys.shape[1]);
        TorchTensor scores = queries.bmm(keys.transpose(1, 2));
        if (rows > 1)
        {
            scores.narrow(2, seen - rows, rows).add_(Future.narrow(0, 0, rows).narrow(1, 0, rows), Number(1));
        }

        return scores;
    }

    /// <summary>−∞ above the diagonal, else 0.</summary>
    private TorchTensor Future => Table("future", () => torch.empty(QueryRows, QueryRows).fill_(Number(double.NegativeInfinity)).triu_(1));

    /// <summary>Queries over √width, so that their scores are.</summary>
    private TorchTensor ScaledQueries(Tensor q, HeadRange heads) => Values(q, heads).mul(Number(1 / Math.Sqrt(q.Columns / heads.All)));

    /// <summary>The channels of some heads: [heads, rows, width].</summary>
    private TorchTensor Heads(Tensor x, HeadRange heads)
    {
        int width = x.Columns / heads.All;
        return Typed(ScalarTypeOf(x.Type)).as_strided([heads.Count, x.Rows, width], [(long)heads.Step * width, x.Stride, 1], x.Offset / x.Type.Size() + heads.First * width);
    }

    /// <summary>Those as Float32.</summary>
    private TorchTensor Values(Tensor x, HeadRange heads) => Heads(x, heads).to_type(torch.ScalarType.Float32);

    /// <summary>Queries in turn, so that their scores of one head fit a piece.</summary>
    private IEnumerable<(int First, int Count)> QueriesInTurn(int rows, int keys) => Groups(rows, keys, Math.Min(PieceElements(matrices: 3), (long)QueryRows * keys));

    /// <summary>As many key heads at a time as a piece has room for.</summary>
    private IEnumerable<HeadGroup> HeadGroups(int keys, AttentionShape shape)
    {
        foreach ((int first, int count) in Groups(shape.KeyValueHeads, (long)Math.Min(keys, QueryRows) * keys, PieceElements(matrices: 3)))
        {
            yield return new(
                new(first, Step: 1, count, shape.KeyValueHeads), [.. Enumerable.Range(0, shape.Group).Select(member => new HeadRange(first * shape.Group + member, shape.Group, count, shape.Heads))]);
        }
    }

    private static Tensor Rows(Tensor x, int first, int count) => x.IsNone ? x : x.Slice(first, count);

    /// <summary>Every <paramref name="Step"/>-th head, <paramref name="Count"/> of them.</summary>
    private readonly record struct HeadRange(int First, int Step, int Count, int All);

    /// <summary>Some key heads, and the query heads that read them: a first one of each, a second one of each.</summary>
    private sealed record HeadGroup(HeadRange Shared, HeadRange[] Queries);
}
