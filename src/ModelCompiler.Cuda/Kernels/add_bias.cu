#include "rows.cuh"

// y = scale · (x + bias) + plus: what a matrix product x leaves to do where its own epilogue cannot. x, bias and plus may be none. In place
// over x, and over plus.
KERNEL add_bias(Rows<const real> x, Rows<const weight> bias, Rows<real> y, Rows<const real> plus, int columns, float scale)
{
    const real* from = x.row(blockX());
    const real* added = plus.row(blockX());
    real* to = y.row(blockX());
    forColumns(columns, areAligned(from, added, to) && areAligned(bias.data), [&](auto n, int c) {
        auto value = loadOrZero(n, from, c);
        auto shift = loadOrZero(n, bias.data, c);
        auto sum = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) { return multiplyAdd(scale, value[i] + shift[i], sum[i]); }));
    });
}
