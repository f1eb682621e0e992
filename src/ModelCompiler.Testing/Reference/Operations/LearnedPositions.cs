using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

public sealed unsafe partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void LearnedPositions(Tensor x, Tensor table, Tensor y)
    {
        for (int t = 0; t < y.Rows; t++)
        {
            Span<double> yt = Row(y, t);
            Row(x, t).CopyTo(yt);
            AddScaled(1, WeightRow(table, Position(t)), yt);
        }
    }

    /// <inheritdoc/>
    public void LearnedPositionsGradient(Tensor dy, Tensor gradient)
    {
        if (gradient.IsNone)
        {
            return;
        }

        for (int t = 0; t < dy.Rows; t++)
        {
            AddScaled(1, Row(dy, t), Row(gradient, Position(t)));
        }
    }
}
