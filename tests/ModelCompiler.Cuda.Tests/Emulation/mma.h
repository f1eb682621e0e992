// Takes the place of mma.cuh where kernels are compiled for the host: the lanes of a warp exchange what the instruction has of each. A copy
// is made as late as it may be, when its thread waits for it, and until then its target holds NaN: a missing wait shows, and so does a
// barrier that is missing between the last use of a tile and the next copy into it.
#pragma once
#include "device.cuh"

typedef u64 SharedAddress;

inline SharedAddress sharedAddress(const void* pointer) { return (SharedAddress)pointer; }

struct Copy
{
    SharedAddress target;
    const void* source;
    bool inside;
};

constexpr int MaximumCopies = 512;

inline u32 fragments[MAXIMUM_THREADS][6];
inline const u16* matrixRows[MAXIMUM_THREADS];
inline Copy copies[MAXIMUM_THREADS][MaximumCopies];
inline int copyCounts[MAXIMUM_THREADS];

// The element of a pair of bf16, widened.
inline float elementOf(u32 pair, int index) { return floatOf(index % 2 == 0 ? pair << 16 : pair & 0xFFFF0000u); }

inline void multiplyMatrices(float (&d)[4], const u32 (&a)[4], u32 b0, u32 b1)
{
    int lane = threadIndex() % 32;
    u32(&own)[6] = fragments[threadIndex()];
    u32(*warp)[6] = &fragments[threadIndex() - lane];
    for (int i = 0; i < 4; i++)
    {
        own[i] = a[i];
    }

    own[4] = b0;
    own[5] = b1;
    meet(Write);
    for (int i = 0; i < 4; i++)
    {
        int row = lane / 4 + i / 2 * 8;
        int column = lane % 4 * 2 + i % 2;
        for (int k = 0; k < 16; k++)
        {
            float left = elementOf(warp[row % 8 * 4 + k % 8 / 2][row / 8 + k / 8 * 2], k);
            float right = elementOf(warp[column * 4 + k % 8 / 2][4 + k / 8], k);
            d[i] += left * right;
        }
    }

    meet(Read);
}

inline void loadMatrices(u32 (&words)[4], SharedAddress row)
{
    int lane = threadIndex() % 32;
    const u16** warp = &matrixRows[threadIndex() - lane];
    matrixRows[threadIndex()] = (const u16*)row;
    meet(Write);
    for (int m = 0; m < 4; m++)
    {
        const u16* from = warp[8 * m + lane / 4] + lane % 4 * 2;
        words[m] = from[0] | (u32)from[1] << 16;
    }

    meet(Read);
}

inline void loadMatricesTransposed(u32 (&words)[4], SharedAddress row)
{
    int lane = threadIndex() % 32;
    const u16** warp = &matrixRows[threadIndex() - lane];
    matrixRows[threadIndex()] = (const u16*)row;
    meet(Write);
    for (int m = 0; m < 4; m++)
    {
        int first = 8 * m + lane % 4 * 2;
        words[m] = warp[first][lane / 4] | (u32)warp[first + 1][lane / 4] << 16;
    }

    meet(Read);
}

inline void copyAsync(SharedAddress target, const void* source, bool inside)
{
    if ((u64)target % 16 != 0 || (u64)source % 16 != 0 || copyCounts[threadIndex()] == MaximumCopies)
    {
        __builtin_trap();
    }

    for (int i = 0; i < 4; i++)
    {
        ((u32*)target)[i] = 0x7FC07FC0u;
    }

    copies[threadIndex()][copyCounts[threadIndex()]++] = {target, source, inside};
}

inline void waitForCopies()
{
    int& count = copyCounts[threadIndex()];
    for (int i = 0; i < count; i++)
    {
        const Copy& copy = copies[threadIndex()][i];
        for (int word = 0; word < 4; word++)
        {
            ((u32*)copy.target)[word] = copy.inside ? ((const u32*)copy.source)[word] : 0;
        }
    }

    count = 0;
}

inline float powerOfTwo(float x) { return __builtin_exp2f(x); }
