#include "dequantize.cuh"

// Elements of a weight in Int8.
KERNEL int8_dequantize(QuantizedWeight w, real* y)
{
    dequantize<Int8>(w, y);
}
