#include "quantized.cuh"

// y = codebook[code] · absmax. An element reads half a byte and its part of the factors, and writes one of y. The codebook lies in sixteen
// banks, of which lanes that read different values take different ones: a lookup is one step for the whole warp.
KERNEL nf4_dequantize(QuantizedWeight w, real* y)
{
    __shared__ float values[16];
    if (threadIndex() < 16)
    {
        values[threadIndex()] = Codebook[threadIndex()];
    }

    barrier();
    dequantize<4>(w, y, [&](float absmax, float) { return [absmax](u32 code) { return values[code] * absmax; }; });
}
