// Products of a few rows with a quantized weight, which is decoded on the way: once for all rows.
#pragma once
#include "quantized.cuh"
#include "reduce.cuh"

// What a lane reads at once, all of one block.
struct Group
{
    Chunk<16> codes;
    FactorParts parts;
    float zero;
};

template <bool Nested, int Length>
DEVICE Group readGroup(const QuantizedWeight& w, i64 group)
{
    i64 block = group * Length >> (int)w.blockLog;
    return {((const Chunk<16>*)w.codes)[group], w.parts<Nested>(block), w.zero(block)};
}

// sums[t] += the lane's part of Σ_k x[t, k] w[output, k], where rows of the weight consist of whole groups and those of x are aligned to 16
// bytes. An element costs what decodes it; and for each row a multiplication and, of bf16, what widens it.
template <bool Nested, class Coding, int T>
DEVICE void addGroups(Lanes<T>& sums, const QuantizedProduct<real>& p, Coding coding, const real* const (&x)[T], int output)
{
    constexpr int Length = 128 / Coding::Bits;
    constexpr int InWord = 32 / Coding::Bits;
    int groups = p.depth / Length;
    i64 first = (i64)output * groups;
    float mean = Nested ? *p.w.mean : 0;
    int group = threadIndex() % 32;
    Group next = readGroup<Nested, Length>(p.w, first + (group < groups ? group : 0));
    while (group < groups)
    {
        // The next group is under way while this one is decoded.
        Group own = next;
        int k = group * Length;
        group += 32;
        next = readGroup<Nested, Length>(p.w, first + (group < groups ? group : 0));
        float scale = coding.scale(factorOf<Nested>(own.parts, p.w.map, mean));
        Lanes<T> parts = each(Count<T>(), [](int) { return 0.0f; });
        UNROLL
        for (int i = 0; i < Length; i += Width)
        {
            auto decoded = each(Count<Width>(), [&](int j) { return coding.decode(own.codes.words[(i + j) / InWord], (i + j) % InWord, own.zero); });
            UNROLL
            for (int t = 0; t < T; t++)
            {
                auto input = load(Count<Width>(), x[t] + k + i);
                UNROLL
                for (int j = 0; j < Width; j++)
                {
                    parts[t] = multiplyAdd(decoded[j], input[j], parts[t]);
                }
            }
        }

        UNROLL
        for (int t = 0; t < T; t++)
        {
            sums[t] = multiplyAdd(scale, parts[t], sums[t]);
        }
    }
}

// The same for any row, one element after the other.
template <bool Nested, class Coding, int T>
DEVICE void addElements(Lanes<T>& sums, const QuantizedProduct<real>& p, Coding coding, const real* const (&x)[T], int output)
{
    constexpr int InWord = 32 / Coding::Bits;
    i64 first = (i64)output * p.depth;
    for (int k = threadIndex() % 32; k < p.depth; k += 32)
    {
        i64 at = first + k;
        i64 block = at >> (int)p.w.blockLog;
        float value = coding.decode(((const u32*)p.w.codes)[at / InWord], at % InWord, p.w.zero(block)) * coding.scale(p.w.factor<Nested>(block));
        UNROLL
        for (int t = 0; t < T; t++)
        {
            sums[t] = multiplyAdd(value, widen(x[t][k]), sums[t]);
        }
    }
}

template <bool Nested, class Coding, int T>
DEVICE void addProducts(Lanes<T>& sums, const QuantizedProduct<real>& p, Coding coding, int output)
{
    const real* x[T];
    bool aligned = p.depth % (128 / Coding::Bits) == 0;
    UNROLL
    for (int t = 0; t < T; t++)
    {
        x[t] = p.x.row(t < p.rows ? t : 0);
        aligned &= areAligned(x[t]);
    }

    if (aligned)
    {
        addGroups<Nested>(sums, p, coding, x, output);
    }
    else
    {
        addElements<Nested>(sums, p, coding, x, output);
    }
}

// Up to T rows; one warp for each output.
template <int T, class Coding>
DEVICE void gemv(const QuantizedProduct<real>& p, Coding coding)
{
    int output = blockX() * (threadCount() / 32) + threadIndex() / 32;
    if (output >= p.outputs)
    {
        return;
    }

    Lanes<T> sums = each(Count<T>(), [](int) { return 0.0f; });
    if (p.w.nested != nullptr)
    {
        addProducts<true>(sums, p, coding, output);
    }
    else
    {
        addProducts<false>(sums, p, coding, output);
    }

    UNROLL
    for (int t = 0; t < T; t++)
    {
        float sum = warpSum(sums[t]);
        if (threadIndex() % 32 == t && t < p.rows)
        {
            p.write(t, output, sum);
        }
    }
}
