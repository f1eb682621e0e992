// Weights in 4 and 8 bits: where their parts lie, how they are decoded, and what a product with one is given.
#pragma once
#include "rows.cuh"

// What is read of a block's factor: where factors are quantized themselves an index and the factor of 256 of them, else the factor.
struct FactorParts
{
    u32 index;
    float factor;
};

template <bool Nested>
DEVICE float factorOf(const FactorParts& parts, const float* map, float mean)
{
    return Nested ? map[parts.index] * parts.factor + mean : parts.factor;
}

// Elements in blocks of 2^blockLog, at least 32, that share a factor and, where zeros are given, a zero point. The factors are floats; or,
// where nested is given, indices into the signed dynamic map times the nested factor of their 256, plus the mean. Parts begin at multiples of
// 64 bytes, so that whole words can be read at their ends.
struct QuantizedWeight
{
    const u8* codes;
    const void* factors;
    const float* zeros;
    const float* nested;
    const float* mean;
    const float* map;
    i64 count;
    i64 blockLog;

    template <bool Nested>
    DEVICE FactorParts parts(u64 block) const
    {
        return Nested ? FactorParts{((const u8*)factors)[block], nested[block >> 8]} : FactorParts{0, ((const float*)factors)[block]};
    }

    template <bool Nested>
    DEVICE float factor(u64 block) const
    {
        return factorOf<Nested>(parts<Nested>(block), map, Nested ? *mean : 0);
    }

    DEVICE float zero(u64 block) const { return zeros != nullptr ? zeros[block] : 0; }
};

// Where in a word its code i of 4 bits begins: the even one of a byte is in the high half.
DEVICE constexpr int shiftOf(int i) { return i / 2 * 8 + (i % 2 == 0 ? 4 : 0); }

// 4-bit NormalFloat (Dettmers et al. 2023, section 3), values as in bitsandbytes.
__device__ const float Codebook[16] = {
    -1.0f, -0.6961928009986877f, -0.5250730514526367f, -0.39491748809814453f,
    -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f, 0.0f,
    0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f, 0.33791524171829224f,
    0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f,
};

// An element of a quantized type is decode(word, i, zero) · scale(factor), for code i of a word. Where a type has a table, the block makes it.

// codebook[code] · absmax. The values lie in sixteen banks of shared memory: lanes that read different ones do not wait for each other.
struct Nf4
{
    static constexpr int Bits = 4;
    const float* values;

    DEVICE Nf4()
    {
        __shared__ float table[16];
        if (threadIndex() < 16)
        {
            table[threadIndex()] = Codebook[threadIndex()];
        }

        barrier();
        values = table;
    }

    DEVICE float decode(u32 word, int i, float) const
    {
        // The value's place in bytes by one shift and one mask.
        int shift = shiftOf(i) - 2;
        u32 place = (shift < 0 ? word << -shift : word >> shift) & 60;
        return *(const float*)((const u8*)values + place);
    }

    DEVICE float scale(float absmax) const { return absmax; }
};

// code · (absmax / 127), codes signed.
struct Int8
{
    static constexpr int Bits = 8;

    DEVICE float decode(u32 word, int i, float) const { return (float)(signed char)(word >> 8 * i); }
    DEVICE float scale(float absmax) const { return absmax / 127; }
};

// (code − zero) · scale.
struct Int4
{
    static constexpr int Bits = 4;

    DEVICE float decode(u32 word, int i, float zero) const { return (float)(word >> shiftOf(i) & 15) - zero; }
    DEVICE float scale(float factor) const { return factor; }
};

// y = scale · (x wᵀ + bias) + plus: rows of x and y, outputs and depth of the weight; bias and plus may be none.
template <class T>
struct QuantizedProduct
{
    QuantizedWeight w;
    Rows<const T> x;
    Rows<const weight> bias;
    Rows<const T> plus;
    Rows<T> y;
    int rows;
    int outputs;
    int depth;
    float scale;

    // Writes an element, given its sum.
    DEVICE void write(int row, int output, float sum) const
    {
        sum += bias.given() ? widen(bias.data[output]) : 0;
        narrow(multiplyAdd(scale, sum, plus.given() ? widen(plus.row(row)[output]) : 0), y.row(row) + output);
    }
};
