#include "angles.cuh"
#include "rows.cuh"

// Turns the first rotaryWidth channels of each head by the row's position; channel i pairs with i + rotaryWidth / 2 (Su et al. 2021) and turns
// by position · frequencies[i]. direction is 1, and -1 for the gradient. In place over x. One block along y: its threads first make the row's
// sines and cosines, which all heads share.
KERNEL rotary(Rows<const real> x, Rows<real> y, const double* frequencies, const Step* step, int heads, int headWidth, int rotaryWidth, float direction)
{
    alignas(16) __shared__ float cosines[MAXIMUM_ROTARY];
    alignas(16) __shared__ float sines[MAXIMUM_ROTARY];
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    int half = rotaryWidth / 2;
    int position = positionOf(step, blockX());
    for (int i = threadIndex(); i < half; i += threadCount())
    {
        float sine;
        sineAndCosine(position * frequencies[i], &sine, &cosines[i]);
        sines[i] = direction * sine;
    }

    barrier();

    // No run of Width pairs may reach into the next head.
    bool aligned = areAligned(from, to) && half % Width == 0 && headWidth % Width == 0;
    forColumns(heads * half, aligned, [&](auto n, int pair) {
        int i = pair % half;
        int at = pair / half * headWidth + i;
        auto a = load(n, from + at);
        auto b = load(n, from + at + half);
        store(to + at, each(n, [&](int k) { return a[k] * cosines[i + k] - b[k] * sines[i + k]; }));
        store(to + at + half, each(n, [&](int k) { return b[k] * cosines[i + k] + a[k] * sines[i + k]; }));
    });
    int rest = headWidth - rotaryWidth;
    forColumns(from == to ? 0 : heads * rest, false, [&](auto n, int c) {
        int at = c / rest * headWidth + rotaryWidth + c % rest;
        store(to + at, load(n, from + at));
    });
}
