#include "quantized.cuh"

// y = code · (absmax / 127), codes signed. An element reads a byte and its part of the factors, and writes one of y.
KERNEL int8_dequantize(QuantizedWeight w, real* y)
{
    dequantize<8>(w, y, [](float absmax, float) {
        float step = absmax / 127;
        return [step](u32 code) { return (float)(signed char)code * step; };
    });
}
