#include "dequantize.cuh"

// Elements of a weight in NF4.
KERNEL nf4_dequantize(QuantizedWeight w, real* y)
{
    dequantize<Nf4>(w, y);
}
