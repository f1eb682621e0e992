using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>An activation of the form g · sigmoid(u(g)): SiLU, and GELU by its tanh.</summary>
internal interface IGatedActivation
{
    /// <summary>The factor of g.</summary>
    static abstract T Sigmoid<T>(T g)
        where T : unmanaged, ILanes<T>;

    /// <summary>The derivative of the activation, from its factor.</summary>
    static abstract T Derivative<T>(T g, T sigmoid)
        where T : unmanaged, ILanes<T>;
}

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h) => Gated<Silu>(gate, up, h);

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        GatedGradient<Silu>(dh, gate, up, dGate, dUp, h);

    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h) => Gated<TanhGelu>(gate, up, h);

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) =>
        GatedGradient<TanhGelu>(dh, gate, up, dGate, dUp, h);

    private void Gated<TActivation>(Tensor gate, Tensor up, Tensor h)
        where TActivation : unmanaged, IGatedActivation =>
        ForEachRow(new GatedRows<TActivation> { Gate = RowsOf(gate), Up = RowsOf(up), H = RowsOf(h), Width = h.Columns }, h.Rows, h.Columns);

    private void GatedGradient<TActivation>(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h)
        where TActivation : unmanaged, IGatedActivation => ForEachRow(
        new GatedGradientRows<TActivation> { Dh = RowsOf(dh), Gate = RowsOf(gate), Up = RowsOf(up), DGate = RowsOf(dGate), DUp = RowsOf(dUp), H = RowsOf(h), Width = dh.Columns },
        dh.Rows,
        dh.Columns);

    private struct Silu : IGatedActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Sigmoid<T>(T g)
            where T : unmanaged, ILanes<T> => Formulas.Sigmoid(g);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Derivative<T>(T g, T sigmoid)
            where T : unmanaged, ILanes<T> => T.MultiplyAdd(g * sigmoid, T.Of(1) - sigmoid, sigmoid);
    }

    private struct TanhGelu : IGatedActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Sigmoid<T>(T g)
            where T : unmanaged, ILanes<T> => Formulas.GeluSigmoid(g);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Derivative<T>(T g, T sigmoid)
            where T : unmanaged, ILanes<T> => Formulas.GeluDerivative(g, sigmoid);
    }

    private struct GatedRows<TActivation> : IRowKernel
        where TActivation : unmanaged, IGatedActivation
    {
        public FloatRows Gate, Up, H;
        public int Width;

        public readonly void Row(int row) => Columns.Each(new Place { Gate = Gate[row], Up = Up[row], H = H[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* Gate, Up, H;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T g = T.Load(Gate + i);
                (g * T.Load(Up + i) * TActivation.Sigmoid(g)).Store(H + i);
            }
        }
    }

    private struct GatedGradientRows<TActivation> : IRowKernel
        where TActivation : unmanaged, IGatedActivation
    {
        public FloatRows Dh, Gate, Up, DGate, DUp, H;
        public int Width;

        public readonly void Row(int row) =>
            Columns.Each(new Place { Dh = Dh[row], Gate = Gate[row], Up = Up[row], DGate = DGate[row], DUp = DUp[row], H = H[row] }, Width);

        private struct Place : IColumnAction
        {
            public float* Dh, Gate, Up, DGate, DUp, H;

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            public readonly void At<T>(int i)
                where T : unmanaged, ILanes<T>
            {
                T dh = T.Load(Dh + i);
                T g = T.Load(Gate + i);
                T u = T.Load(Up + i);
                T sigmoid = TActivation.Sigmoid(g);
                if (DGate != null)
                {
                    (dh * u * TActivation.Derivative(g, sigmoid)).Store(DGate + i);
                }

                if (DUp != null)
                {
                    (dh * (g * sigmoid)).Store(DUp + i);
                }

                if (H != null)
                {
                    // In the order of forward itself, so that checkpointing changes no bit.
                    (g * u * sigmoid).Store(H + i);
                }
            }
        }
    }
}
