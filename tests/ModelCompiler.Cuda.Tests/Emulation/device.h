// Takes the place of device.cuh where kernels are compiled for the host: one block after the other, its threads as fibers that run until
// those of its warp have come to the same shuffle, or all of them to the same barrier.
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;

#define __device__
#define __shared__ static
#define DEVICE inline
#define UNROLL
#define MAXIMUM_THREADS 256
#define KERNEL extern "C" void

struct Place
{
    int thread, threads, blockX, blockY, gridX, gridY;
};

extern Place place;
extern u32 exchanged[MAXIMUM_THREADS];

// Lets the other threads of the block (at a barrier) or of the warp come to this point, which all of them must reach next.
void meet(int point);

enum
{
    Barrier = 1,
    Write = 2,
    Read = 3,
};

inline int threadIndex() { return place.thread; }
inline int threadCount() { return place.threads; }
inline int blockX() { return place.blockX; }
inline int blockY() { return place.blockY; }
inline int gridX() { return place.gridX; }
inline int gridY() { return place.gridY; }
inline void barrier() { meet(Barrier); }

inline u32 shuffleXor(u32 value, int lanes)
{
    int own = threadIndex();
    exchanged[own] = value;
    meet(Write);
    value = exchanged[own ^ lanes];
    meet(Read);
    return value;
}

inline u32 shuffleFrom(u32 value, int lane)
{
    int own = threadIndex();
    exchanged[own] = value;
    meet(Write);
    value = exchanged[own / 32 * 32 + lane];
    meet(Read);
    return value;
}

inline u32 votes(bool vote)
{
    int own = threadIndex();
    exchanged[own] = vote;
    meet(Write);
    u32 all = 0;
    for (int lane = 0; lane < 32; lane++)
    {
        all |= exchanged[own / 32 * 32 + lane] << lane;
    }

    meet(Read);
    return all;
}

inline u32 bitsOf(float x) { return __builtin_bit_cast(u32, x); }
inline float floatOf(u32 bits) { return __builtin_bit_cast(float, bits); }
inline u64 bitsOf(double x) { return __builtin_bit_cast(u64, x); }
inline double doubleOf(u64 bits) { return __builtin_bit_cast(double, bits); }
inline int lowestBit(u32 bits) { return __builtin_ctz(bits); }
inline float multiplyAdd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float squareRoot(float x) { return __builtin_sqrtf(x); }
inline float nearestInteger(float x) { return __builtin_rintf(x); }
inline float greater(float a, float b) { return a > b ? a : b; }

inline u32 upperHalf(float x)
{
    u32 bits = bitsOf(x);
    return x == x ? (bits + 0x7FFFu + (bits >> 16 & 1)) >> 16 : bits >> 16 | 0x40u;
}

inline u32 packPair(float low, float high) { return upperHalf(low) | upperHalf(high) << 16; }
