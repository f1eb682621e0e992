#include "rows.cuh"

// Turns the first rotaryWidth channels of each head by the row's position; channel i pairs with i + rotaryWidth / 2 (Su et al. 2021). The
// table has for each position rotaryWidth / 2 cosines, then as many sines. direction is 1, and -1 for the gradient. In place over x.
KERNEL rotary(Rows<const real> x, Rows<real> y, const float* table, const Step* step, int heads, int headWidth, int rotaryWidth, float direction)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    int half = rotaryWidth / 2;
    const float* cosines = table + (i64)positionOf(step, blockX()) * rotaryWidth;
    const float* sines = cosines + half;

    // No run of Width pairs may reach into the next head.
    bool aligned = areAligned(from, to) && areAligned(cosines, sines) && half % Width == 0 && headWidth % Width == 0;
    forColumns(heads * half, aligned, [&](auto n, int pair) {
        int i = pair % half;
        int at = pair / half * headWidth + i;
        auto a = load(n, from + at);
        auto b = load(n, from + at + half);
        auto cosine = load(n, cosines + i);
        auto sine = load(n, sines + i);
        store(to + at, each(n, [&](int k) { return a[k] * cosine[k] - b[k] * direction * sine[k]; }));
        store(to + at + half, each(n, [&](int k) { return b[k] * cosine[k] + a[k] * direction * sine[k]; }));
    });
    int rest = headWidth - rotaryWidth;
    forColumns(from == to ? 0 : heads * rest, false, [&](auto n, int c) {
        int at = c / rest * headWidth + rotaryWidth + c % rest;
        store(to + at, load(n, from + at));
    });
}
