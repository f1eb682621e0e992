using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <content>The optimizers.</content>
public partial interface IBackend
{
    /// <summary>
    /// AdamW with decoupled decay (Loshchilov and Hutter 2019): g' = gradientScale · g; m = β1 m + (1−β1) g'; v = β2 v + (1−β2) g'²;
    /// w = w − rate · (m / (1−β1^t) / (sqrt(v / (1−β2^t)) + ε) + decay · w), the decay of w as it was before the step.
    /// </summary>
    void AdamW([Accumulated] Tensor w, Tensor g, [Accumulated] Tensor m, [Accumulated] Tensor v, in AdamWStep step);

    /// <summary>
    /// AdamE, the optimizer of L1RA (Singh et al. 2025): Adam with decoupled L1 and L2 terms, both taken after the step. p is w after a step of
    /// <see cref="AdamW"/> without decay; w = p · (1 − rate · decay) − τ · s with τ = rate · lasso and s the sign of p, or 0 where |p| ≤ τ: what is as
    /// small as one step of the L1 term stays, and nothing is snapped to 0.
    /// </summary>
    void AdamE([Accumulated] Tensor w, Tensor g, [Accumulated] Tensor m, [Accumulated] Tensor v, in AdamWStep step, double lasso);

    /// <summary>
    /// <see cref="AdamW"/> with moments in 8 bits (Dettmers et al. 2022, as in bitsandbytes). w and g [rows, columns], without gaps between rows;
    /// m and v, <see cref="DType.UInt8"/> of the same shape, hold indices into the signed and the unsigned
    /// <see cref="Quantization.DynamicMap"/>; mScales and vScales [blocks, 1] hold the greatest magnitude of each 256 consecutive elements.
    /// The moments are decoded, updated and used for w as they are, and then encoded, each block with its new greatest magnitude: the
    /// nearest value, except that a negative first moment that would become 0 takes the value below 0. Where g or its square is not finite, w
    /// stays and both moments become 0. All bytes 0 are moments of 0. The decay is of w as it was before the step.
    /// </summary>
    void AdamW8Bit(
        [Accumulated] Tensor w, Tensor g, [Accumulated] Tensor m, [Accumulated] Tensor v, [Accumulated] Tensor mScales,
        [Accumulated] Tensor vScales, in AdamWStep step);
}

/// <summary>The kernel of each <see cref="UpdateRule"/>.</summary>
internal static class UpdateKernels
{
    /// <summary>One update by a rule whose states are full.</summary>
    /// <param name="backend">The backend.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="w">The parameter.</param>
    /// <param name="g">Its gradient.</param>
    /// <param name="first">The first state.</param>
    /// <param name="second">The second state; none where the rule has one.</param>
    /// <param name="step">The scalars.</param>
    /// <exception cref="NotSupportedException">There is no kernel for the rule.</exception>
    public static void Update(this IBackend backend, UpdateRule rule, Tensor w, Tensor g, Tensor first, Tensor second, in AdamWStep step)
    {
        switch (rule.Name)
        {
            case nameof(IBackend.AdamW):
                backend.AdamW(w, g, first, second, step);
                break;
            default:
                throw new NotSupportedException($"there is no kernel for the optimizer {rule.Name}");
        }
    }
}

/// <summary>The scalars of one AdamW update.</summary>
/// <param name="LearningRate">Learning rate of this step.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="WeightDecay">Decoupled weight decay.</param>
/// <param name="Count">The number t of this step, from 1.</param>
/// <param name="GradientScale">Factor on the gradient: the clip.</param>
public readonly record struct AdamWStep(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay, int Count, double GradientScale);
