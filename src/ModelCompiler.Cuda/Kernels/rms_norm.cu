#include "columns.cuh"
#include "reduce.cuh"

// rstd = 1 / sqrt(mean(x²) + ε), y = x · rstd · w; y and rstd may be none. A block norms one of the runs of columns that lie side by side in a row.
KERNEL rms_norm(Rows<const real> x, Rows<const weight> w, Rows<real> y, Rows<float> rstd, int columns, int runs, float epsilon)
{
    int row = blockX() / runs, run = blockX() % runs, first = run * columns;
    const real* from = x.row(row);
    real* to = y.row(row);
    bool aligned = areAligned(from, to) && areAligned(w.data) && first % Width == 0;
    float squares = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto value = load(n, from + first + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            squares = multiplyAdd(value[i], value[i], squares);
        }
    });
    float r = 1 / squareRoot(blockSum(squares) / columns + epsilon);
    if (rstd.given() && threadIndex() == 0)
    {
        rstd.row(row)[run] = r;
    }

    if (to != nullptr)
    {
        forColumns(columns, aligned, [&](auto n, int c) {
            auto value = load(n, from + first + c);
            auto factor = load(n, w.data + c);
            store(to + first + c, each(n, [&](int i) { return value[i] * r * factor[i]; }));
        });
    }
}

// dx = rstd · (dy·w − x · rstd² · mean(dy·w·x)) + plus; plus may be none. In place over dy, and over plus.
KERNEL rms_norm_gradient(
    Rows<const real> dy, Rows<const real> x, Rows<const weight> w, Rows<const float> rstd, Rows<real> dx, Rows<const real> plus, int columns, int runs)
{
    int row = blockX() / runs, run = blockX() % runs, first = run * columns;
    const real* gradient = dy.row(row);
    const real* input = x.row(row);
    const real* added = plus.row(row);
    real* to = dx.row(row);
    bool aligned = areAligned(gradient, input, added, to) && areAligned(w.data) && first % Width == 0;
    float r = rstd.row(row)[run];
    float product = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + first + c);
        auto value = load(n, input + first + c);
        auto factor = load(n, w.data + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            product = multiplyAdd(d[i] * factor[i], value[i], product);
        }
    });
    float mean = r * r * (blockSum(product) / columns);
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + first + c);
        auto value = load(n, input + first + c);
        auto factor = load(n, w.data + c);
        auto sum = loadOrZero(n, added, first + c);
        store(to + first + c, each(n, [&](int i) { return multiplyAdd(r, d[i] * factor[i] - value[i] * mean, sum[i]); }));
    });
}

// dw += Σ_t dy · x · rstd. One block for 32 columns.
KERNEL rms_norm_gradient_weight(Rows<const real> dy, Rows<const real> x, Rows<const float> rstd, Rows<float> dw, int rows, int columns, int runs)
{
    addColumnSums(rows * runs, columns, dw.data, [&](int i, int c) {
        int t = i / runs, run = i % runs;
        return widen(dy.row(t)[run * columns + c]) * widen(x.row(t)[run * columns + c]) * rstd.row(t)[run];
    });
}
