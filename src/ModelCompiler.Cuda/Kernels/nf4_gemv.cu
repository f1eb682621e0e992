#include "gemv.cuh"

// Up to one, two, four and eight rows with a weight in NF4.
KERNEL nf4_gemv_1(QuantizedProduct<real> p)
{
    gemv<1>(p, Nf4());
}

KERNEL nf4_gemv_2(QuantizedProduct<real> p)
{
    gemv<2>(p, Nf4());
}

KERNEL nf4_gemv_4(QuantizedProduct<real> p)
{
    gemv<4>(p, Nf4());
}

KERNEL nf4_gemv_8(QuantizedProduct<real> p)
{
    gemv<8>(p, Nf4());
}
