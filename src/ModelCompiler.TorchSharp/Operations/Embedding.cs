using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <inheritdoc/>
    public void Embedding(Tensor ids, Tensor table, Tensor y, float scale = 1)
    {
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 1))
        {
            using Work work = Begin();
            TorchTensor rows = Scratch(count, y.Columns).copy_(View(table).index_select(0, Ids(ids.Slice(first, count))));
            View(y.Slice(first, count)).copy_(rows.mul_(Number(scale)));
        }
    }

    /// <inheritdoc/>
    public void EmbeddingGradient(Tensor dy, Tensor ids, Tensor gradient, float scale = 1)
    {
        foreach ((int first, int count) in InTurn(gradient.IsNone ? 0 : dy.Rows, dy.Columns, matrices: 1))
        {
            using Work work = Begin();
            View(gradient).index_add_(0, Ids(ids.Slice(first, count)), As(gradient.Type, dy.Slice(first, count)), Number(scale));
        }
    }

    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y)
    {
        for (int first = 0; first < y.Rows; first += _step.Sequence)
        {
            using Work work = Begin();
            int count = Math.Min(_step.Sequence, y.Rows - first);
            View(y.Slice(first, count)).copy_(View(x.Slice(first, count))).add_(View(table.Slice(_step.Position, count)), Number(1));
        }
    }

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient)
    {
        for (int first = 0; first < dy.Rows && !gradient.IsNone; first += _step.Sequence)
        {
            using Work work = Begin();
            int count = Math.Min(_step.Sequence, dy.Rows - first);
            View(gradient.Slice(_step.Position, count)).add_(View(dy.Slice(first, count)), Number(1));
        }
    }

    /// <summary>A column of ids as torch indexes with them.</summary>
    private TorchTensor Ids(Tensor ids) => View(ids).squeeze(1).to_type(torch.ScalarType.Int64);
}
