#include "activations.cuh"

// y = gelu(x). In place over x.
KERNEL gelu(Rows<const real> x, Rows<real> y, int columns)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    forColumns(columns, areAligned(from, to), [&](auto n, int c) {
        auto value = load(n, from + c);
        store(to + c, each(n, [&](int i) { return Gelu::at(value[i]).value; }));
    });
}

// dx = dy · gelu'(x). In place over dy or x.
KERNEL gelu_gradient(Rows<const real> dy, Rows<const real> x, Rows<real> dx, int columns)
{
    const real* from = dy.row(blockX());
    const real* at = x.row(blockX());
    real* to = dx.row(blockX());
    forColumns(columns, areAligned(from, at, to), [&](auto n, int c) {
        auto d = load(n, from + c);
        auto value = load(n, at + c);
        store(to + c, each(n, [&](int i) { return d[i] * Gelu::at(value[i]).slope; }));
    });
}
