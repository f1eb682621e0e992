#include "activations.cuh"

// h = gelu(gate) · up. In place over gate or up.
KERNEL geglu(Rows<const real> gate, Rows<const real> up, Rows<real> h, int columns)
{
    gatedUnit<Gelu>(gate.row(blockX()), up.row(blockX()), h.row(blockX()), columns);
}

// dGate, dUp and h again, bit for bit; each may be none. In place over dh, gate or up.
KERNEL geglu_gradient(Rows<const real> dh, Rows<const real> gate, Rows<const real> up, Rows<real> dGate, Rows<real> dUp, Rows<real> h, int columns)
{
    int t = blockX();
    gatedUnitGradient<Gelu>(dh.row(t), gate.row(t), up.row(t), dGate.row(t), dUp.row(t), h.row(t), columns);
}
