// Decodes a whole weight to memory.
#pragma once
#include "quantized.cuh"

// What a thread decodes at once, and how often: all reads come before the first write, so that enough of them are under way.
constexpr int RunLength = 8;
constexpr int Runs = 4;

template <class Coding, bool Nested>
DEVICE void dequantizeRuns(const QuantizedWeight& w, real* y)
{
    constexpr int InWord = 32 / Coding::Bits;
    Chunk<Coding::Bits> codes[Runs];
    FactorParts parts[Runs];
    float zeros[Runs];
    float mean = Nested ? *w.mean : 0;
    i64 start = ((i64)blockX() * Runs * threadCount() + threadIndex()) * RunLength;
    i64 step = (i64)threadCount() * RunLength;
    UNROLL
    for (int r = 0; r < Runs; r++)
    {
        // Beyond the end the first run is read again: a branch would let the next read wait for this one.
        i64 first = start + r * step < w.count ? start + r * step : 0;
        codes[r] = ((const Chunk<Coding::Bits>*)w.codes)[first / RunLength];
        parts[r] = w.parts<Nested>(first >> (int)w.blockLog);
        zeros[r] = w.zero(first >> (int)w.blockLog);
    }

    Coding coding;
    UNROLL
    for (int r = 0; r < Runs; r++)
    {
        i64 first = start + r * step;
        float scale = coding.scale(factorOf<Nested>(parts[r], w.map, mean));
        auto values = each(Count<RunLength>(), [&](int i) { return coding.decode(codes[r].words[i / InWord], i % InWord, zeros[r]) * scale; });
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

// y = the elements, one after the other; aligned to 16 bytes. An element reads its code and its part of the factors, and writes one of y.
template <class Coding>
DEVICE void dequantize(const QuantizedWeight& w, real* y)
{
    if (w.nested != nullptr)
    {
        dequantizeRuns<Coding, true>(w, y);
    }
    else
    {
        dequantizeRuns<Coding, false>(w, y);
    }
}
