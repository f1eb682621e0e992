using ModelCompiler.Data;
using ModelCompiler.Models;

namespace ModelCompiler.Training;

/// <summary>What an evaluation measured.</summary>
/// <param name="Loss">Mean cross-entropy over the targets, in nats.</param>
/// <param name="Tokens">Targets that counted.</param>
public readonly record struct Evaluation(double Loss, long Tokens)
{
    /// <summary>exp of the loss.</summary>
    public double Perplexity => Math.Exp(Loss);
}

/// <summary>Mean cross-entropy of a model on data: Σ −log p(target) / targets. Dropout is off and nothing is trained.</summary>
public sealed class Evaluator
{
    private readonly TransformerModel _model;
    private readonly Batches _data;
    private readonly MicroBatches _microBatches;

    /// <summary>Prepares the evaluation.</summary>
    /// <param name="model">A model planned for training.</param>
    /// <param name="data">The data; each example is taken once.</param>
    /// <exception cref="ArgumentException">A batch is larger than the plan, or the plan is for generation.</exception>
    public Evaluator(TransformerModel model, Batches data) => (_model, _data, _microBatches) = (model, data, new MicroBatches(model, data));

    /// <summary>Runs over the data once.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DatasetException">No target counts.</exception>
    /// <exception cref="TrainingException">The loss is not finite.</exception>
    public Evaluation Evaluate(CancellationToken cancellation = default)
    {
        double sum = 0;
        long tokens = 0;
        for (long index = 0; index < _data.PerEpoch; index++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_microBatches.Take(index, lossScale: 0, seed: 0, out TokenBatch batch))
            {
                double loss = _model.Evaluate(batch);
                sum += double.IsFinite(loss)
                    ? loss
                    : throw new TrainingException($"the loss of evaluation batch {index + 1} is {loss}; look at the weights, and at the data of this batch");
                tokens += _microBatches.Targets;
            }
        }

        return tokens > 0 ? new Evaluation(sum / tokens, tokens) : throw new DatasetException("the evaluation data has no targets");
    }
}
