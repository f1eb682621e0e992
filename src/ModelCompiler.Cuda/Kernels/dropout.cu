#include "rows.cuh"

// Stafford's mix 13, the finalizer of splitmix64.
DEVICE u64 mix(u64 z)
{
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

// 32 bits, uniform over the columns of a row: two rounds of a 32-bit finalizer with the upper half of the row's key between them.
DEVICE u32 maskBits(u64 rowKey, int column)
{
    u32 h = (u32)column + (u32)rowKey;
    h = (h ^ (h >> 16)) * 0x7FEB352Du;
    h ^= (u32)(rowKey >> 32);
    h = (h ^ (h >> 15)) * 0x846CA68Bu;
    return h ^ (h >> 16);
}

// y = x · factor, or 0 where the mask's bits are below the threshold (rate · 2³²); factor = 1 / (1 − rate). The mask is a function of seed,
// slot, row and column, the same as on every other backend; its key is mix(seed + slot), slot being what a step adds to its seed for a layer
// and an adapter. Its own gradient. In place over x.
KERNEL dropout(Rows<const real> x, Rows<real> y, const Step* step, u64 slot, int firstRow, int columns, u32 threshold, float factor)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    u64 rowKey = mix(mix(step->seed + slot) + 0x9E3779B97F4A7C15ull * ((u64)(u32)(firstRow + blockX()) + 1));
    forColumns(columns, areAligned(from, to), [&](auto n, int c) {
        auto value = load(n, from + c);
        store(to + c, each(n, [&](int i) { return maskBits(rowKey, c + i) >= threshold ? value[i] * factor : 0; }));
    });
}
