#include "dequantize.cuh"

// Elements of a weight in NF4.
KERNEL nf4_dequantize(QuantizedWeight w, real* y)
{
    dequantize(w, y, Nf4());
}
