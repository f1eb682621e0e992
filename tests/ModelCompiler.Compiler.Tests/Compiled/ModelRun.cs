using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Optimizers;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Training;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>A bound random model with random parameters and one random batch.</summary>
public sealed class ModelRun : IDisposable
{
    private readonly int[] _ids;
    private readonly int[] _targets;
    private readonly Step _step;

    /// <param name="entry">The model.</param>
    /// <param name="plan">Its plan.</param>
    /// <param name="backend">What runs it.</param>
    /// <param name="seed">Chooses parameters and batch: three quarters of the positions, all of them or the last alone has a target.</param>
    /// <param name="allTargets">Whether all positions have one whatever the seed.</param>
    public ModelRun(ModelEntry entry, TrainingPlan plan, IBackend backend, ulong seed, bool allTargets = false)
    {
        Model = entry.ForTraining(plan, backend);
        var random = new Random((int)seed);
        foreach (Parameter p in Model.Parameters)
        {
            bool normWeight = p.Info.Path.EndsWith("Norm.Weight", StringComparison.Ordinal) || p.Info.Path.EndsWith("LayerScale", StringComparison.Ordinal);
            Write(p.Value, Enumerable.Range(0, (int)p.Value.Count).Select(_ => (normWeight ? 1 : 0) + 0.9 * (random.NextDouble() - 0.5)).ToArray());
        }

        foreach (DoraAdapter adapter in Model.Adapters.OfType<DoraAdapter>())
        {
            DoraNorms.Settle(this, adapter, random);
        }

        int tokens = plan.Batch * plan.Sequence;
        _ids = Enumerable.Range(0, tokens).Select(_ => random.Next(Model.Tables.Vocabulary)).ToArray();
        _targets = Enumerable.Range(0, tokens).Select(i => HasTarget(i) ? random.Next(Model.Tables.Vocabulary) : -100).ToArray();
        _step = new Step(plan.Batch, plan.Sequence, LossScale: 1.0 / _targets.Count(t => t >= 0), Seed: seed);

        bool HasTarget(int position) => allTargets || (seed % 3) switch
        {
            0 => position % 4 != 3,
            1 => true,
            _ => position == tokens - 1,
        };
    }

    public TransformerModel Model { get; }

    /// <summary>Forward, loss and backward; returns the mean loss.</summary>
    public double Gradients()
    {
        Begin();
        Model.ZeroGradients();
        Model.Forward();
        Model.Loss(backward: true);
        Model.Backward();
        return Model.Backend.Read(Model.LossSum) * _step.LossScale;
    }

    /// <summary>Forward and loss alone.</summary>
    public double Loss()
    {
        Begin();
        Model.Forward();
        Model.Loss(backward: false);
        return Model.Backend.Read(Model.LossSum) * _step.LossScale;
    }

    /// <summary>One update of every trainable parameter, clipped by the global norm as training does.</summary>
    public void Update()
    {
        Model.Backend.Zero(Model.GradientNorm);
        foreach (Parameter p in Model.Trainable)
        {
            Model.Backend.SquaredNorm(p.Gradient, Model.GradientNorm);
        }

        new ParameterUpdates(Model).Run(new AdamWStep(1e-3, 0.9, 0.999, 1e-8, 0, 1, 1));
    }

    public double[] Read(Tensor tensor)
    {
        var values = new double[tensor.Count];
        Model.Backend.Read(tensor, values);
        return values;
    }

    public void Write(Tensor tensor, double[] values) => Model.Backend.Write(tensor, (ReadOnlySpan<double>)values);

    public void Dispose() => Model.Dispose();

    private void Begin()
    {
        Model.BeginStep(_step, _ids, _targets, training: true);
        Model.Backend.Zero(Model.LossSum);
    }
}
