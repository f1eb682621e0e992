using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void GeGlu(Tensor gate, Tensor up, Tensor h) =>
        ForEachRow(new GeGluRows { Gate = RowsOf(gate), Up = RowsOf(up), H = RowsOf(h), Width = h.Columns }, h.Rows, h.Columns);

    /// <inheritdoc/>
    public void GeGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) => ForEachRow(
        new GeGluGradientRows { Dh = RowsOf(dh), Gate = RowsOf(gate), Up = RowsOf(up), DGate = RowsOf(dGate), DUp = RowsOf(dUp), H = RowsOf(h), Width = dh.Columns },
        dh.Rows,
        dh.Columns);

    private struct GeGluRows : IRowKernel
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
                (g * T.Load(Up + i) * Formulas.GeluSigmoid(g)).Store(H + i);
            }
        }
    }

    private struct GeGluGradientRows : IRowKernel
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
                T sigmoid = Formulas.GeluSigmoid(g);
                if (DGate != null)
                {
                    (dh * u * Formulas.GeluDerivative(g, sigmoid)).Store(DGate + i);
                }

                if (DUp != null)
                {
                    (dh * g * sigmoid).Store(DUp + i);
                }

                if (H != null)
                {
                    // In the order of GeGlu itself, so that checkpointing changes no bit.
                    (g * u * sigmoid).Store(H + i);
                }
            }
        }
    }
}
