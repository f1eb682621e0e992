#include "activations.cuh"

// h = silu(gate) · up. In place over gate or up.
KERNEL swiglu(Rows<const real> gate, Rows<const real> up, Rows<real> h, int columns)
{
    gatedUnit<Silu>(gate.row(blockX()), up.row(blockX()), h.row(blockX()), columns);
}

// dGate, dUp and h again, bit for bit; each may be none. In place over dh, gate or up.
KERNEL swiglu_gradient(Rows<const real> dh, Rows<const real> gate, Rows<const real> up, Rows<real> dGate, Rows<real> dUp, Rows<real> h, int columns)
{
    int t = blockX();
    gatedUnitGradient<Silu>(dh.row(t), gate.row(t), up.row(t), dGate.row(t), dUp.row(t), h.row(t), columns);
}
