#include "rows.cuh"

// 4-bit NormalFloat (Dettmers et al. 2023, section 3), values as in bitsandbytes.
__device__ const float Codebook[16] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
};

// y = codebook[code] · absmax, elements one after the other. A byte of codes has the even element in its high half; a block of 2^blockLog
// elements, at least 8, shares its absmax. factors holds these as floats; or, where nested is given, as indices into the signed dynamic map
// times the factor of their 256, plus the mean. y is aligned to 16 bytes and codes to 4. A thread decodes 8 elements.
KERNEL nf4_dequantize(
    const u8* codes, const void* factors, const float* nested, const float* mean, const float* map, real* y, i64 count, int blockLog)
{
    __shared__ float values[16];
    if (threadIndex() < 16)
    {
        values[threadIndex()] = Codebook[threadIndex()];
    }

    barrier();
    i64 first = ((i64)blockX() * threadCount() + threadIndex()) * 8;
    if (first >= count)
    {
        return;
    }

    i64 block = first >> blockLog;
    float absmax = nested == nullptr ? ((const float*)factors)[block] : map[((const u8*)factors)[block]] * nested[block >> 8] + *mean;
    if (first + 8 <= count)
    {
        u32 word = *(const u32*)(codes + first / 2);
        Count<8> n;
        store(y + first, each(n, [&](int i) { return values[word >> (i / 2 * 8 + (i % 2 == 0 ? 4 : 0)) & 15] * absmax; }));
        return;
    }

    for (i64 i = first; i < count; i++)
    {
        narrow(values[codes[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15] * absmax, y + i);
    }
}
