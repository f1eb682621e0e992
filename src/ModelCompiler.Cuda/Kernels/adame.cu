#include "adam.cuh"
#include "rows.cuh"

// AdamE (Singh et al. 2025): with p the weight after Adam's step, w = p · (1 − rate · decay) − τ · s, where τ = rate · lasso and s is the
// sign of p, or 0 where |p| ≤ τ.
KERNEL adame(Rows<float> w, Rows<const float> g, Rows<float> m, Rows<float> v, const AdamScalars* scalars, int columns)
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
        store(weights + c, each(n, [&](int i) {
            float p = old[i] - adam.update(newFirst[i], newSecond[i]);
            float shrunk = p > adam.lasso ? adam.lasso : p < -adam.lasso ? -adam.lasso : 0;
            return p - multiplyAdd(p, adam.decay, shrunk);
        }));
    });
}
