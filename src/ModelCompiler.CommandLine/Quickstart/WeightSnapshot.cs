using ModelCompiler.Models;

namespace ModelCompiler.CommandLine.Quickstart;

/// <summary>A copy of a model's trainable parameters.</summary>
internal sealed class WeightSnapshot
{
    private readonly TransformerModel _model;
    private readonly (Parameter Parameter, float[] Values)[] _copies;

    public WeightSnapshot(TransformerModel model)
    {
        _model = model;
        _copies = [.. model.Trainable.Select(p => (p, new float[p.Value.Rows * p.Value.Columns]))];
    }

    /// <summary>The step after which it was taken.</summary>
    public int Step { get; private set; }

    /// <summary>Held-out loss at that step.</summary>
    public double Loss { get; private set; } = double.PositiveInfinity;

    /// <summary>Copies the parameters.</summary>
    public void Take(int step, double loss)
    {
        (Step, Loss) = (step, loss);
        foreach ((Parameter parameter, float[] values) in _copies)
        {
            _model.Backend.Read(parameter.Value, values.AsSpan());
        }
    }

    /// <summary>Puts the copies back.</summary>
    public void Restore()
    {
        foreach ((Parameter parameter, float[] values) in _copies)
        {
            _model.Backend.Write(parameter.Value, values.AsSpan());
        }
    }
}
