using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void SwiGlu(Tensor gate, Tensor up, Tensor h) =>
        ForEachRow(new SwiGluRows { Gate = RowsOf(gate), Up = RowsOf(up), H = RowsOf(h), Width = h.Columns }, h.Rows, h.Columns);

    /// <inheritdoc/>
    public void SwiGluGradient(Tensor dh, Tensor gate, Tensor up, Tensor dGate, Tensor dUp, Tensor h = default) => ForEachRow(
        new SwiGluGradientRows { Dh = RowsOf(dh), Gate = RowsOf(gate), Up = RowsOf(up), DGate = RowsOf(dGate), DUp = RowsOf(dUp), H = RowsOf(h), Width = dh.Columns },
        dh.Rows,
        dh.Columns);

    private struct SwiGluRows : IRowKernel
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
                (g * T.Load(Up + i) * Formulas.Sigmoid(g)).Store(H + i);
            }
        }
    }

    private struct SwiGluGradientRows : IRowKernel
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
                T sigmoid = Formulas.Sigmoid(g);
                T silu = g * sigmoid;
                if (DGate != null)
                {
                    (dh * u * T.MultiplyAdd(silu, T.Of(1) - sigmoid, sigmoid)).Store(DGate + i);
                }

                if (DUp != null)
                {
                    (dh * silu).Store(DUp + i);
                }

                if (H != null)
                {
                    // In the order of SwiGlu itself, so that checkpointing changes no bit.
                    (g * u * sigmoid).Store(H + i);
                }
            }
        }
    }
}
