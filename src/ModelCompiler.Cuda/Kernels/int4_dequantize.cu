#include "quantized.cuh"

// y = (code − zero) · scale. An element reads half a byte and its part of the scales and zero points, and writes one of y.
KERNEL int4_dequantize(QuantizedWeight w, real* y)
{
    dequantize<4>(w, y, [](float scale, float zero) { return [=](u32 code) { return ((float)code - zero) * scale; }; });
}
