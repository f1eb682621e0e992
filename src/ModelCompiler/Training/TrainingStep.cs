using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

/// <summary>One optimizer step of a model: the gradients of its micro-batches are summed, then the parameters move once. Allocates no managed memory.</summary>
/// <param name="model">A model planned for training.</param>
public sealed class TrainingStep(TransformerModel model)
{
    private readonly Parameter[] _trainable = [.. model.Trainable];
    private readonly ParameterUpdates _updates = new(model);

    /// <summary>Whether anything is trained.</summary>
    public bool IsEmpty => _trainable.Length == 0;

    /// <summary>Starts the sums of loss and gradients at 0.</summary>
    public void Begin()
    {
        model.Backend.Zero(model.LossSum);
        model.ZeroGradients();
    }

    /// <summary>Adds a micro-batch.</summary>
    public void Add(in TokenBatch batch) => model.Step(batch);

    /// <summary>Waits for the loss summed so far.</summary>
    public double ReadLoss() => model.Backend.Read(model.LossSum);

    /// <summary>Waits for the norm of all gradients together.</summary>
    public double ReadGradientNorm()
    {
        model.Backend.Zero(model.GradientNorm);
        foreach (Parameter parameter in _trainable)
        {
            if (!parameter.LiveGradient.IsNone)
            {
                model.Backend.SquaredNorm(parameter.LiveGradient, model.GradientNorm);
            }
        }

        return Math.Sqrt(model.Backend.Read(model.GradientNorm));
    }

    /// <summary>Moves the parameters.</summary>
    public void Update(in AdamWStep scalars) => _updates.Run(scalars);

    /// <summary>Whether every trainable parameter is finite.</summary>
    public bool IsFinite()
    {
        model.Backend.Zero(model.GradientNorm);
        foreach (Parameter parameter in _trainable)
        {
            model.Backend.SquaredNorm(parameter.Value, model.GradientNorm);
        }

        return double.IsFinite(model.Backend.Read(model.GradientNorm));
    }
}
