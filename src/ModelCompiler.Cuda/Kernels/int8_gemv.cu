#include "gemv.cuh"

// Up to one, two, four and eight rows with a weight in Int8.
KERNEL int8_gemv_1(QuantizedProduct<real> p)
{
    gemv<1>(p, Int8());
}

KERNEL int8_gemv_2(QuantizedProduct<real> p)
{
    gemv<2>(p, Int8());
}

KERNEL int8_gemv_4(QuantizedProduct<real> p)
{
    gemv<4>(p, Int8());
}

KERNEL int8_gemv_8(QuantizedProduct<real> p)
{
    gemv<8>(p, Int8());
}
