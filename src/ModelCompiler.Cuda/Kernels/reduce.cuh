// Sums and maxima over a warp or a block, in an order that depends only on its number of threads; every thread gets the result.
// A kernel that reduces over a row has one block along y.
#pragma once
#include "device.cuh"

DEVICE float shuffleXor(float value, int lanes) { return floatOf(shuffleXor(bitsOf(value), lanes)); }

DEVICE float shuffleFrom(float value, int lane) { return floatOf(shuffleFrom(bitsOf(value), lane)); }

DEVICE double shuffleXor(double value, int lanes)
{
    u64 bits = bitsOf(value);
    return doubleOf((u64)shuffleXor((u32)(bits >> 32), lanes) << 32 | shuffleXor((u32)bits, lanes));
}

// Joins the values of a warp's lanes two by two.
template <class T, class Join>
DEVICE T warpReduce(T value, Join join)
{
    for (int lanes = 16; lanes > 0; lanes /= 2)
    {
        value = join(value, shuffleXor(value, lanes));
    }

    return value;
}

DEVICE float warpSum(float value)
{
    return warpReduce(value, [](float a, float b) { return a + b; });
}

// Joins the values of all threads: those of warps, then the warps' results in their order.
template <class T, class Join>
DEVICE T blockReduce(T value, Join join)
{
    __shared__ T parts[MAXIMUM_THREADS / 32];
    value = warpReduce(value, join);

    // What an earlier call left is read by every thread before it is overwritten.
    barrier();
    if (threadIndex() % 32 == 0)
    {
        parts[threadIndex() / 32] = value;
    }

    barrier();
    value = parts[0];
    for (int warp = 1; warp < threadCount() / 32; warp++)
    {
        value = join(value, parts[warp]);
    }

    return value;
}

template <class T>
DEVICE T blockSum(T value)
{
    return blockReduce(value, [](T a, T b) { return a + b; });
}

DEVICE float blockMaximum(float value)
{
    return blockReduce(value, [](float a, float b) { return a > b ? a : b; });
}

DEVICE bool blockAny(bool value)
{
    return blockReduce((u32)value, [](u32 a, u32 b) { return a | b; }) != 0;
}
