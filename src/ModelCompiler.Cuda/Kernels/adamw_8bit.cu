#include "adam.cuh"
#include "arithmetic.cuh"
#include "reduce.cuh"

// The index of the value of an ascending map that is nearest to x, of two the lower: comparisons of exact sums in double.
DEVICE int nearestCode(const float* map, float x)
{
    int low = 0;
    int high = 255;
    while (low < high)
    {
        int middle = (low + high) / 2;
        bool above = (double)x + x > (double)map[middle] + map[middle + 1];
        low = above ? middle + 1 : low;
        high = above ? high : middle;
    }

    return low;
}

// AdamW with moments in 8 bits (Dettmers et al. 2022, as in bitsandbytes): m and v are indices into the signed and the unsigned dynamic map
// times the greatest magnitude of their 256 consecutive elements. One block of 256 threads for each of these. A negative first moment
// that would become 0 takes the value below it. Where g or its square is not finite, w stays and both moments become 0.
KERNEL adamw_8bit(
    float* w, const float* g, u8* m, u8* v, float* mScales, float* vScales, const float* signedMap, const float* unsignedMap,
    const AdamScalars* scalars, i64 count)
{
    __shared__ float firstMap[256];
    __shared__ float secondMap[256];
    firstMap[threadIndex()] = signedMap[threadIndex()];
    secondMap[threadIndex()] = unsignedMap[threadIndex()];
    barrier();
    AdamScalars adam = *scalars;
    i64 at = (i64)blockX() * 256 + threadIndex();
    float first = 0;
    float second = 0;
    if (at < count)
    {
        float gradient = g[at];
        first = adam.first(firstMap[m[at]] * mScales[blockX()], gradient);
        second = adam.second(secondMap[v[at]] * vScales[blockX()], gradient);

        // An infinite or NaN gradient makes the second moment so.
        bool finite = second < floatOf(0x7F800000u);
        w[at] = finite ? w[at] - multiplyAdd(w[at], adam.decay, adam.update(first, second)) : w[at];
        first = finite ? first : 0;
        second = finite ? second : 0;
    }

    // Every thread has read the old scales before the reductions' barriers and the new ones are written after them.
    float firstScale = blockMaximum(magnitude(first));
    float secondScale = blockMaximum(second);
    if (threadIndex() == 0)
    {
        mScales[blockX()] = firstScale;
        vScales[blockX()] = secondScale;
    }

    if (at < count)
    {
        int code = nearestCode(firstMap, firstScale > 0 ? first / firstScale : 0);
        m[at] = (u8)(first < 0 && firstMap[code] >= 0 ? code - 1 : code);
        v[at] = (u8)nearestCode(secondMap, secondScale > 0 ? second / secondScale : 0);
    }
}
