#include "columns.cuh"

// y = z · m · inverse + bias + plus, the factors per channel; bias and plus may be none. In place over z, and over plus.
KERNEL apply_magnitude(
    Rows<const real> z, Rows<const weight> m, Rows<const float> inverse, Rows<real> y, Rows<const weight> bias, Rows<const real> plus, int columns)
{
    const real* from = z.row(blockX());
    const real* added = plus.row(blockX());
    real* to = y.row(blockX());
    bool aligned = areAligned(from, added, to) && areAligned(m.data, bias.data) && areAligned(inverse.data);
    forColumns(columns, aligned, [&](auto n, int c) {
        auto value = load(n, from + c);
        auto wanted = load(n, m.data + c);
        auto factor = load(n, inverse.data + c);
        auto shift = loadOrZero(n, bias.data, c);
        auto sum = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) { return multiplyAdd(value[i], wanted[i] * factor[i], shift[i] + sum[i]); }));
    });
}

// dm += inverse · Σ_t dy · z. One block for 32 columns.
KERNEL magnitude_gradient(Rows<const real> dy, Rows<const real> z, Rows<const float> inverse, Rows<float> dm, int rows, int columns)
{
    addColumnSums(rows, columns, dm.data, [&](int t, int c) { return widen(dy.row(t)[c]) * widen(z.row(t)[c]) * inverse.data[c]; });
}
