// Weights in 4 and 8 bits: where their parts lie, and how they are decoded.
#pragma once
#include "rows.cuh"

// 4-bit NormalFloat (Dettmers et al. 2023, section 3), values as in bitsandbytes.
__device__ const float Codebook[16] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
};

// Elements in blocks of 2^blockLog, at least 32, that share a factor and, where zeros are given, a zero point. The factors are floats; or,
// where nested is given, indices into the signed dynamic map times the nested factor of their 256, plus the mean. A byte with two codes
// has the even element in its high half. Parts begin at multiples of 64 bytes, so that whole words can be read at their ends.
struct QuantizedWeight
{
    const u8* codes;
    const void* factors;
    const float* zeros;
    const float* nested;
    const float* mean;
    const float* map;
    i64 count;
    int blockLog;

    template <bool Nested>
    DEVICE float factor(u64 block) const
    {
        return Nested ? map[((const u8*)factors)[block]] * nested[block >> 8] + *mean : ((const float*)factors)[block];
    }
};

// What a thread decodes at once, and how often: all reads come before the first write, so that enough of them are under way.
constexpr int RunLength = 8;
constexpr int Runs = 4;

// The i-th code of a run.
template <int Bits>
DEVICE u32 codeOf(const Chunk<Bits>& run, int i)
{
    return Bits == 8 ? run.words[i / 4] >> i % 4 * 8 & 255 : run.words[0] >> (i / 2 * 8 + (i % 2 == 0 ? 4 : 0)) & 15;
}

template <int Bits, bool Nested, class Open>
DEVICE void dequantizeRuns(const QuantizedWeight& w, real* y, Open open)
{
    Chunk<Bits> codes[Runs];
    float factors[Runs];
    float zeros[Runs];
    i64 start = ((i64)blockX() * Runs * threadCount() + threadIndex()) * RunLength;
    i64 step = (i64)threadCount() * RunLength;
    UNROLL
    for (int r = 0; r < Runs; r++)
    {
        // Beyond the end the first run is read again: a branch would let the next read wait for this one.
        i64 first = start + r * step < w.count ? start + r * step : 0;
        codes[r] = ((const Chunk<Bits>*)w.codes)[first / RunLength];
        factors[r] = w.factor<Nested>(first >> w.blockLog);
        zeros[r] = w.zeros != nullptr ? w.zeros[first >> w.blockLog] : 0;
    }

    UNROLL
    for (int r = 0; r < Runs; r++)
    {
        i64 first = start + r * step;
        auto decode = open(factors[r], zeros[r]);
        auto values = each(Count<RunLength>(), [&](int i) { return decode(codeOf(codes[r], i)); });
        if (first + RunLength <= w.count)
        {
            store(y + first, values);
        }
        else
        {
            for (int i = 0; i < RunLength; i++)
            {
                if (first + i < w.count)
                {
                    narrow(values[i], y + first + i);
                }
            }
        }
    }
}

// y = the decoded elements, one after the other; aligned to 16 bytes. open(factor, zero) gives what decodes a code of a block.
template <int Bits, class Open>
DEVICE void dequantize(const QuantizedWeight& w, real* y, Open open)
{
    if (w.nested != nullptr)
    {
        dequantizeRuns<Bits, true>(w, y, open);
    }
    else
    {
        dequantizeRuns<Bits, false>(w, y, open);
    }
}
