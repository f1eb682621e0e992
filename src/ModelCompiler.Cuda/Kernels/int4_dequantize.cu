#include "dequantize.cuh"

// Elements of a weight in Int4.
KERNEL int4_dequantize(QuantizedWeight w, real* y)
{
    dequantize<Int4>(w, y);
}
