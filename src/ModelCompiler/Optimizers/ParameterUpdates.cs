using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Optimizers;

/// <summary>Updates the trainable parameters of a model with the optimizer of its plan.</summary>
/// <param name="model">A model planned for training.</param>
public sealed class ParameterUpdates(TransformerModel model)
{
    private readonly Parameter[] _resident = [.. model.Trainable.Where(p => p.Moments.Storage != MomentStorage.Paged)];

    /// <summary>One update from the gradients that backward left. Allocates no managed memory.</summary>
    /// <param name="step">Its scalars; the decay is of matrices only, norms and biases have none.</param>
    public void Run(in AdamWStep step)
    {
        PagedMoments pages = model.PagedMoments;
        if (pages.Count > 0)
        {
            // The first page comes in while the parameters that need none are updated.
            pages.Fetch(0);
        }

        foreach (Parameter parameter in _resident)
        {
            Moments moments = parameter.Moments;
            if (parameter.LiveGradient.IsNone)
            {
                continue;
            }

            if (parameter.UpdateCounts is { } counts)
            {
                UpdateEach(parameter, counts, step);
            }
            else if (moments.Storage == MomentStorage.Blockwise)
            {
                model.Backend.AdamW8Bit(
                    parameter.Value, parameter.Gradient, moments.First, moments.Second, moments.FirstScales, moments.SecondScales, Of(parameter, step));
            }
            else
            {
                Update(parameter, parameter.UpdateWindow, step);
            }
        }

        for (int i = 0; i < pages.Count; i++)
        {
            if (i + 1 < pages.Count)
            {
                pages.Fetch(i + 1);
            }

            MomentPage page = pages[i];
            (Tensor first, Tensor second) = pages.Await(i);
            model.Backend.Update(
                page.Parameter.Moments.Rule, page.Parameter.Value.Slice(page.FirstRow, page.Rows), page.Parameter.Gradient.Slice(page.FirstRow, page.Rows), first, second, Of(page.Parameter, step));
            pages.Evict(i);
        }
    }

    /// <summary>Rows or columns together that have had as many updates: their bias correction is the same.</summary>
    private void UpdateEach(Parameter parameter, DirectionCounts counts, in AdamWStep step)
    {
        Window live = parameter.UpdateWindow;
        (int first, int end) = counts.ByRow ? (live.FirstRow, live.FirstRow + live.Rows) : (live.FirstColumn, live.FirstColumn + live.Columns);
        for (int count; first < end; first += count)
        {
            count = 1;
            while (first + count < end && counts.Updates[first + count] == counts.Updates[first])
            {
                count++;
            }

            Window together = counts.ByRow ? live with { FirstRow = first, Rows = count } : live with { FirstColumn = first, Columns = count };
            Update(parameter, together, step with { Count = counts.Updates[first] });
        }
    }

    private void Update(Parameter parameter, Window window, in AdamWStep step)
    {
        (Tensor value, Tensor gradient) = (window.Of(parameter.Value), window.Of(parameter.WholeGradient));
        (Tensor first, Tensor second) = (window.Of(parameter.Moments.First), window.Of(parameter.Moments.Second));
        if (parameter.L1Penalty > 0)
        {
            model.Backend.AdamE(value, gradient, first, second, Of(parameter, step), parameter.L1Penalty);
        }
        else
        {
            model.Backend.Update(parameter.Moments.Rule, value, gradient, first, second, Of(parameter, step));
        }
    }

    private static AdamWStep Of(Parameter parameter, in AdamWStep step) =>
        step with { WeightDecay = parameter.Info.Vector ? 0 : step.WeightDecay, LearningRate = parameter.OwnLearningRate ?? step.LearningRate };
}
