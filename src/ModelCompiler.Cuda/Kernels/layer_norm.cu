#include "columns.cuh"
#include "reduce.cuh"

// y = (x − mean) · rstd · w + b; statistics [T, 2] takes mean and rstd. b, y and statistics may be none.
KERNEL layer_norm(Rows<const real> x, Rows<const weight> w, Rows<const weight> b, Rows<real> y, Rows<float> statistics, int columns, float epsilon)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    bool aligned = areAligned(from, to) && areAligned(w.data, b.data);
    float sum = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto value = load(n, from + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            sum += value[i];
        }
    });
    float mean = blockSum(sum) / columns;
    float squares = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto value = load(n, from + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            squares = multiplyAdd(value[i] - mean, value[i] - mean, squares);
        }
    });
    float r = 1 / squareRoot(blockSum(squares) / columns + epsilon);
    if (statistics.given() && threadIndex() == 0)
    {
        statistics.row(blockX())[0] = mean;
        statistics.row(blockX())[1] = r;
    }

    if (to != nullptr)
    {
        forColumns(columns, aligned, [&](auto n, int c) {
            auto value = load(n, from + c);
            auto factor = load(n, w.data + c);
            auto bias = loadOrZero(n, b.data, c);
            store(to + c, each(n, [&](int i) { return multiplyAdd((value[i] - mean) * r, factor[i], bias[i]); }));
        });
    }
}

// dx = rstd · (g − mean(g) − x̂ · mean(g·x̂)) + plus with g = dy·w, x̂ = (x − mean)·rstd; plus may be none. In place over dy, and over plus.
KERNEL layer_norm_gradient(
    Rows<const real> dy, Rows<const real> x, Rows<const weight> w, Rows<const float> statistics, Rows<real> dx, Rows<const real> plus, int columns)
{
    const real* gradient = dy.row(blockX());
    const real* input = x.row(blockX());
    const real* added = plus.row(blockX());
    real* to = dx.row(blockX());
    bool aligned = areAligned(gradient, input, added, to) && areAligned(w.data);
    float mean = statistics.row(blockX())[0];
    float r = statistics.row(blockX())[1];
    float sum = 0;
    float product = 0;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + c);
        auto value = load(n, input + c);
        auto factor = load(n, w.data + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            float g = d[i] * factor[i];
            sum += g;
            product = multiplyAdd(g, (value[i] - mean) * r, product);
        }
    });
    float meanG = blockSum(sum) / columns;
    float meanProduct = blockSum(product) / columns;
    forColumns(columns, aligned, [&](auto n, int c) {
        auto d = load(n, gradient + c);
        auto value = load(n, input + c);
        auto factor = load(n, w.data + c);
        auto more = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) {
            float normalized = (value[i] - mean) * r;
            return multiplyAdd(r, d[i] * factor[i] - meanG - normalized * meanProduct, more[i]);
        }));
    });
}

// dw += Σ_t dy · (x − mean) · rstd. One block for 32 columns.
KERNEL layer_norm_gradient_weight(Rows<const real> dy, Rows<const real> x, Rows<const float> statistics, Rows<float> dw, int rows, int columns)
{
    addColumnSums(rows, columns, dw.data, [&](int t, int c) {
        const float* both = statistics.row(t);
        return widen(dy.row(t)[c]) * (widen(x.row(t)[c]) - both[0]) * both[1];
    });
}
