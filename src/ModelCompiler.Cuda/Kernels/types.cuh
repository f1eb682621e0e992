// Element types, and loads and stores of several elements at once. Arithmetic is always in float.
#pragma once
#include "device.cuh"

// The upper half of a float.
struct bf16
{
    u16 bits;
};

#if ACTIVATION_IS_BF16
typedef bf16 real;
#else
typedef float real;
#endif

#if WEIGHT_IS_BF16
typedef bf16 weight;
#else
typedef float weight;
#endif

// Activations in 16 bytes: what one thread moves at once.
constexpr int Width = 16 / (int)sizeof(real);

// A number of elements as a type, so that a loop over them is unrolled.
template <int N>
struct Count
{
    static constexpr int Value = N;
};

// Consecutive elements, widened.
template <int N>
struct Lanes
{
    float values[N];
    DEVICE float& operator[](int i) { return values[i]; }
    DEVICE float operator[](int i) const { return values[i]; }
};

// What one instruction moves; aligned to its size.
template <int Bytes>
struct alignas(Bytes) Chunk
{
    u32 words[Bytes / 4];
};

template <int Bytes>
constexpr int ChunkBytes = Bytes < 16 ? Bytes : 16;

DEVICE float widen(float x) { return x; }
DEVICE float widen(bf16 x) { return floatOf((u32)x.bits << 16); }

DEVICE void narrow(float x, float* y) { *y = x; }
DEVICE void narrow(float x, bf16* y) { y->bits = (u16)packPair(x, 0); }

template <int N, int Words>
DEVICE void unpack(const u32 (&words)[Words], const float*, Lanes<N>& lanes, int first)
{
    for (int i = 0; i < Words; i++)
    {
        lanes[first + i] = floatOf(words[i]);
    }
}

template <int N, int Words>
DEVICE void unpack(const u32 (&words)[Words], const bf16*, Lanes<N>& lanes, int first)
{
    for (int i = 0; i < Words; i++)
    {
        lanes[first + 2 * i] = floatOf(words[i] << 16);
        lanes[first + 2 * i + 1] = floatOf(words[i] & 0xFFFF0000u);
    }
}

template <int N, int Words>
DEVICE void pack(const Lanes<N>& lanes, int first, const float*, u32 (&words)[Words])
{
    for (int i = 0; i < Words; i++)
    {
        words[i] = bitsOf(lanes[first + i]);
    }
}

template <int N, int Words>
DEVICE void pack(const Lanes<N>& lanes, int first, const bf16*, u32 (&words)[Words])
{
    for (int i = 0; i < Words; i++)
    {
        words[i] = packPair(lanes[first + 2 * i], lanes[first + 2 * i + 1]);
    }
}

// Reads N elements; from an address aligned for it where N is not 1.
template <int N, class T>
DEVICE Lanes<N> load(Count<N>, const T* source)
{
    Lanes<N> lanes;
    if constexpr (N == 1)
    {
        lanes[0] = widen(*source);
    }
    else
    {
        constexpr int Bytes = N * (int)sizeof(T);
        const Chunk<ChunkBytes<Bytes>>* chunks = (const Chunk<ChunkBytes<Bytes>>*)source;
        for (int i = 0; i < Bytes / ChunkBytes<Bytes>; i++)
        {
            Chunk<ChunkBytes<Bytes>> chunk = chunks[i];
            unpack(chunk.words, source, lanes, i * ChunkBytes<Bytes> / (int)sizeof(T));
        }
    }

    return lanes;
}

// Writes N elements, as load reads them.
template <int N, class T>
DEVICE void store(T* target, const Lanes<N>& lanes)
{
    if constexpr (N == 1)
    {
        narrow(lanes[0], target);
    }
    else
    {
        constexpr int Bytes = N * (int)sizeof(T);
        Chunk<ChunkBytes<Bytes>>* chunks = (Chunk<ChunkBytes<Bytes>>*)target;
        for (int i = 0; i < Bytes / ChunkBytes<Bytes>; i++)
        {
            Chunk<ChunkBytes<Bytes>> chunk;
            pack(lanes, i * ChunkBytes<Bytes> / (int)sizeof(T), target, chunk.words);
            chunks[i] = chunk;
        }
    }
}

// Lanes of f(0) to f(N - 1).
template <int N, class F>
DEVICE Lanes<N> each(Count<N>, F f)
{
    Lanes<N> lanes;
    for (int i = 0; i < N; i++)
    {
        lanes[i] = f(i);
    }

    return lanes;
}
