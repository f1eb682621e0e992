using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>The formula of <see cref="IBackend.AdamW"/> with its scalars multiplied out, so that an element takes one division and one root.</summary>
internal readonly struct AdamWScalars
{
    private readonly float beta1, beta2, scaleOfFirst, scaleOfSecond, rate, root, epsilon, decay;

    public AdamWScalars(in AdamWStep step)
    {
        beta1 = (float)step.Beta1;
        beta2 = (float)step.Beta2;
        scaleOfFirst = (float)((1 - step.Beta1) * step.GradientScale);
        scaleOfSecond = (float)((1 - step.Beta2) * step.GradientScale * step.GradientScale);
        rate = (float)(step.LearningRate / (1 - Math.Pow(step.Beta1, step.Count)));
        root = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Count)));
        epsilon = (float)step.Epsilon;
        decay = (float)(step.LearningRate * step.WeightDecay);
    }

    /// <summary>The first moment with a gradient taken in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T First<T>(T m, T g)
        where T : unmanaged, ILanes<T> => T.MultiplyAdd(m, T.Of(beta1), g * T.Of(scaleOfFirst));

    /// <summary>The second moment with a gradient taken in.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Second<T>(T v, T g)
        where T : unmanaged, ILanes<T> => T.MultiplyAdd(v, T.Of(beta2), g * T.Of(scaleOfSecond) * g);

    /// <summary>The weight after a step by these moments.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Weight<T>(T w, T m, T v)
        where T : unmanaged, ILanes<T>
    {
        T update = m * T.Of(rate) / T.MultiplyAdd(T.Sqrt(v), T.Of(root), T.Of(epsilon));
        return w - T.MultiplyAdd(w, T.Of(decay), update);
    }
}
