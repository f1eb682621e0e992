using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Training;

/// <summary>Updates the trainable parameters of a model with the optimizer of its plan.</summary>
/// <param name="model">A model planned for training.</param>
public sealed class ParameterUpdates(TransformerModel model)
{
    private readonly Parameter[] _trainable = [.. model.Trainable];

    /// <summary>One update from the gradients that backward left. Allocates no managed memory.</summary>
    /// <param name="step">Its scalars; the decay is of matrices only, norms and biases have none.</param>
    public void Run(in AdamWStep step)
    {
        AdamWStep ofVectors = step with { Decay = 0 };
        foreach (Parameter parameter in _trainable)
        {
            Moments moments = parameter.Moments;
            AdamWStep own = parameter.Row.Vector ? ofVectors : step;
            if (moments.Storage == MomentStorage.Blockwise)
            {
                model.Kernels.AdamW8Bit(
                    parameter.Value, parameter.Gradient, moments.First, moments.Second, moments.FirstScales, moments.SecondScales, own);
            }
            else
            {
                model.Kernels.AdamW(parameter.Value, parameter.Gradient, moments.First, moments.Second, own);
            }
        }
    }
}
