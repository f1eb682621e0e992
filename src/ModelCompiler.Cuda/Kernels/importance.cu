#include "arithmetic.cuh"
#include "rows.cuh"

// i = |w · g|; sensitivity = β1 sensitivity + (1−β1) i; uncertainty = β2 uncertainty + (1−β2) |i − sensitivity|, with the sensitivity just
// made (Zhang et al. 2023, equations 8 to 10). rest1 = 1 − β1, rest2 = 1 − β2.
KERNEL importance(
    Rows<const float> w, Rows<const float> g, Rows<float> sensitivity, Rows<float> uncertainty, int columns, float beta1, float rest1, float beta2, float rest2)
{
    const float* values = w.row(blockX());
    const float* gradients = g.row(blockX());
    float* smoothed = sensitivity.row(blockX());
    float* spread = uncertainty.row(blockX());
    forColumns(columns, areAligned(values, gradients, smoothed, spread), [&](auto n, int c) {
        auto value = load(n, values + c);
        auto gradient = load(n, gradients + c);
        auto before = load(n, smoothed + c);
        auto old = load(n, spread + c);
        auto product = each(n, [&](int i) { return magnitude(value[i] * gradient[i]); });
        auto now = each(n, [&](int i) { return multiplyAdd(beta1, before[i], rest1 * product[i]); });
        store(smoothed + c, now);
        store(spread + c, each(n, [&](int i) { return multiplyAdd(beta2, old[i], rest2 * magnitude(product[i] - now[i])); }));
    });
}
