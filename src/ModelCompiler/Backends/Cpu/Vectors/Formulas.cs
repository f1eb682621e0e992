using System.Runtime.CompilerServices;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>Functions of lanes that several kernels share.</summary>
internal static class Formulas
{
    /// <summary>1 / (1 + e⁻ˣ); both tails exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sigmoid<T>(T x)
        where T : unmanaged, ILanes<T> => T.Of(1) / (T.Of(1) + T.Exp(T.Of(0) - x));

    /// <summary>tanh: Cephes' odd polynomial below 0.625, 1 − 2 / (e²ˣ + 1) above, so that small values keep their digits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Tanh<T>(T x)
        where T : unmanaged, ILanes<T>
    {
        T magnitude = T.Abs(x);
        T square = x * x;
        T p = T.MultiplyAdd(T.Of(-5.70498872745e-3f), square, T.Of(2.06390887954e-2f));
        p = T.MultiplyAdd(p, square, T.Of(-5.37397155531e-2f));
        p = T.MultiplyAdd(p, square, T.Of(1.33314422036e-1f));
        p = T.MultiplyAdd(p, square, T.Of(-3.33332819422e-1f));
        T near = T.MultiplyAdd(p * square, x, x);
        T far = T.Of(1) - T.Of(2) / (T.Exp(magnitude + magnitude) + T.Of(1));
        return T.WhereLess(magnitude, T.Of(0.625f), near, T.CopySign(far, x));
    }

    /// <summary>gelu(x) = x · s with s = σ(2u), since ½ (1 + tanh u) = σ(2u); u = √(2/π) (x + 0.044715 x³).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T GeluSigmoid<T>(T x)
        where T : unmanaged, ILanes<T> => Sigmoid(x * T.MultiplyAdd(T.Of(2 * RootTwoOverPi * Cubic), x * x, T.Of(2 * RootTwoOverPi)));

    /// <summary>gelu′(x) = s + 2 x s (1 − s) u′ with u′ = √(2/π) (1 + 3 · 0.044715 x²).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T GeluDerivative<T>(T x, T sigmoid)
        where T : unmanaged, ILanes<T>
    {
        T inner = T.MultiplyAdd(T.Of(6 * RootTwoOverPi * Cubic), x * x, T.Of(2 * RootTwoOverPi));
        return T.MultiplyAdd(x * sigmoid, (T.Of(1) - sigmoid) * inner, sigmoid);
    }

    private const float RootTwoOverPi = 0.7978845608028654f;
    private const float Cubic = 0.044715f;
}
