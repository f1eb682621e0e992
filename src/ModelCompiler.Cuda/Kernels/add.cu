#include "rows.cuh"

// y = a + b. In place over a or b.
KERNEL add(Rows<const real> a, Rows<const real> b, Rows<real> y, int columns)
{
    const real* left = a.row(blockX());
    const real* right = b.row(blockX());
    real* sum = y.row(blockX());
    forColumns(columns, areAligned(left, right, sum), [&](auto n, int c) {
        auto l = load(n, left + c);
        auto r = load(n, right + c);
        store(sum + c, each(n, [&](int i) { return l[i] + r[i]; }));
    });
}
