using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Training;

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

            if (parameter.Counts is { } counts)
            {
                UpdateEach(parameter, counts, step);
            }
            else if (moments.Storage == MomentStorage.Blockwise)
            {
                model.Kernels.AdamW8Bit(
                    parameter.Value, parameter.Gradient, moments.First, moments.Second, moments.FirstScales, moments.SecondScales, Of(parameter, step));
            }
            else
            {
                model.Kernels.AdamW(
                    parameter.Part(parameter.Value), parameter.LiveGradient, parameter.Part(moments.First), parameter.Part(moments.Second), Of(parameter, step));
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
            model.Kernels.AdamW(
                page.Parameter.Value.Slice(page.FirstRow, page.Rows), page.Parameter.Gradient.Slice(page.FirstRow, page.Rows), first, second, Of(page.Parameter, step));
            pages.Evict(i);
        }
    }

    /// <summary>Row by row or column by column, each with a bias correction by its own number of updates.</summary>
    private void UpdateEach(Parameter parameter, DirectionCounts counts, in AdamWStep step)
    {
        Window live = parameter.Live;
        (int first, int count) = counts.ByRow ? (live.FirstRow, live.Rows) : (live.FirstColumn, live.Columns);
        for (int i = first; i < first + count; i++)
        {
            Window one = counts.ByRow ? live with { FirstRow = i, Rows = 1 } : live with { FirstColumn = i, Columns = 1 };
            model.Kernels.AdamW(
                one.Of(parameter.Value), one.Of(parameter.WholeGradient), one.Of(parameter.Moments.First), one.Of(parameter.Moments.Second),
                Of(parameter, step with { Count = counts.Updates[i] }));
        }
    }

    private static AdamWStep Of(Parameter parameter, in AdamWStep step) => parameter.Row.Vector ? step with { Decay = 0 } : step;
}
