#include "columns.cuh"
#include "reduce.cuh"

// rstd = 1 / sqrt(mean(x²) + ε), y = x · rstd · w; y and rstd may be none.
KERNEL rms_norm(Rows<const real> x, Rows<const weight> w, Rows<real> y, Rows<float> rstd, int columns, float epsilon)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    bool aligned = areAligned(from, to) && areAligned(w.data);
    float squares = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto value = load(n, from + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            squares = multiplyAdd(value[i], value[i], squares);
        }
    });
    float r = 1 / squareRoot(blockSum(squares) / columns + epsilon);
    if (rstd.given() && threadIndex() == 0)
    {
        *rstd.row(blockX()) = r;
    }

    if (to != nullptr)
    {
        forColumns(columns, aligned, [&](auto n, int c) {
            auto value = load(n, from + c);
            auto factor = load(n, w.data + c);
            store(to + c, each(n, [&](int i) { return value[i] * r * factor[i]; }));
        });
    }
}

// dx = rstd · (dy·w − x · rstd² · mean(dy·w·x)) + plus; plus may be none. In place over dy, and over plus.
KERNEL rms_norm_gradient(
    Rows<const real> dy, Rows<const real> x, Rows<const weight> w, Rows<const float> rstd, Rows<real> dx, Rows<const real> plus, int columns)
{
    const real* gradient = dy.row(blockX());
    const real* input = x.row(blockX());
    const real* added = plus.row(blockX());
    real* to = dx.row(blockX());
    bool aligned = areAligned(gradient, input, added, to) && areAligned(w.data);
    float r = *rstd.row(blockX());
    float product = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + c);
        auto value = load(n, input + c);
        auto factor = load(n, w.data + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            product = multiplyAdd(d[i] * factor[i], value[i], product);
        }
    });
    float mean = r * r * (blockSum(product) / columns);
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + c);
        auto value = load(n, input + c);
        auto factor = load(n, w.data + c);
        auto sum = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) { return multiplyAdd(r, d[i] * factor[i] - value[i] * mean, sum[i]); }));
    });
}

// dw += Σ_t dy · x · rstd. One block for 32 columns.
KERNEL rms_norm_gradient_weight(Rows<const real> dy, Rows<const real> x, Rows<const float> rstd, Rows<float> dw, int rows, int columns)
{
    addColumnSums(rows, columns, dw.data, [&](int t, int c) { return widen(dy.row(t)[c]) * widen(x.row(t)[c]) * *rstd.row(t); });
}
