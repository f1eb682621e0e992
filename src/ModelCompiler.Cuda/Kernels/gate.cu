#include "columns.cuh"

// y = x · g + plus with a factor per channel; plus may be none. In place over x, and over plus.
KERNEL gate(Rows<const real> x, Rows<const weight> g, Rows<real> y, Rows<const real> plus, int columns)
{
    const real* from = x.row(blockX());
    const real* added = plus.row(blockX());
    real* to = y.row(blockX());
    forColumns(columns, areAligned(from, added, to) && areAligned(g.data), [&](auto n, int c) {
        auto value = load(n, from + c);
        auto factor = load(n, g.data + c);
        auto sum = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) { return multiplyAdd(value[i], factor[i], sum[i]); }));
    });
}

// dg += Σ_t dy · x. One block for 32 columns.
KERNEL gate_gradient_weight(Rows<const real> dy, Rows<const real> x, Rows<float> dg, int rows, int columns)
{
    addColumnSums(rows, columns, dg.data, [&](int t, int c) { return widen(dy.row(t)[c]) * widen(x.row(t)[c]); });
}
