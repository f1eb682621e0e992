#include "adam.cuh"
#include "rows.cuh"

// AdamW with decoupled decay (Loshchilov and Hutter 2019), the decay of w as it was before the step.
KERNEL adamw(Rows<float> w, Rows<const float> g, Rows<float> m, Rows<float> v, const AdamScalars* scalars, int columns)
{
    float* weights = w.row(blockX());
    const float* gradients = g.row(blockX());
    float* first = m.row(blockX());
    float* second = v.row(blockX());
    AdamScalars adam = *scalars;
    forColumns(columns, areAligned(weights, gradients, first, second), [&](auto n, int c) {
        auto old = load(n, weights + c);
        auto gradient = load(n, gradients + c);
        auto oldFirst = load(n, first + c);
        auto oldSecond = load(n, second + c);
        auto newFirst = each(n, [&](int i) { return adam.first(oldFirst[i], gradient[i]); });
        auto newSecond = each(n, [&](int i) { return adam.second(oldSecond[i], gradient[i]); });
        store(first + c, newFirst);
        store(second + c, newSecond);
        store(weights + c, each(n, [&](int i) { return old[i] - multiplyAdd(old[i], adam.decay, adam.update(newFirst[i], newSecond[i])); }));
    });
}
