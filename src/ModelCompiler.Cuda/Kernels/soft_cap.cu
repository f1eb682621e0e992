#include "arithmetic.cuh"
#include "rows.cuh"

// y = cap · tanh(x / cap). In place over x.
KERNEL soft_cap(Rows<const real> x, Rows<real> y, int columns, float cap)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    forColumns(columns, areAligned(from, to), [&](auto n, int c) {
        auto value = load(n, from + c);
        store(to + c, each(n, [&](int i) { return cap * hyperbolicTangent(value[i] / cap); }));
    });
}

// dx = dy · (1 − (y / cap)²) from the output y. In place over dy or y.
KERNEL soft_cap_gradient(Rows<const real> dy, Rows<const real> y, Rows<real> dx, int columns, float cap)
{
    const real* from = dy.row(blockX());
    const real* output = y.row(blockX());
    real* to = dx.row(blockX());
    forColumns(columns, areAligned(from, output, to), [&](auto n, int c) {
        auto d = load(n, from + c);
        auto value = load(n, output + c);
        store(to + c, each(n, [&](int i) {
            float t = value[i] / cap;
            return d[i] * (1 - t * t);
        }));
    });
}
