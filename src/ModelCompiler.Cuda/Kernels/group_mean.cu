#include "rows.cuh"

// y[t, j] = mean of x[t, j · size] to x[t, (j + 1) · size − 1].
KERNEL group_mean(Rows<const real> x, Rows<real> y, int groups, int size)
{
    const real* from = x.row(blockX());
    real* to = y.row(blockX());
    forColumns(groups, false, [&](auto n, int j) {
        float sum = 0;
        for (int i = 0; i < size; i++)
        {
            sum += widen(from[j * size + i]);
        }

        store(to + j, each(n, [&](int) { return sum / size; }));
    });
}

// dx[t, i] = dy[t, ⌊i / size⌋] / size + plus; plus may be none. In place over plus.
KERNEL group_mean_gradient(Rows<const real> dy, Rows<real> dx, Rows<const real> plus, int columns, int size)
{
    const real* from = dy.row(blockX());
    const real* added = plus.row(blockX());
    real* to = dx.row(blockX());
    forColumns(columns, areAligned(added, to), [&](auto n, int c) {
        auto sum = loadOrZero(n, added, c);
        store(to + c, each(n, [&](int i) { return widen(from[(c + i) / size]) / size + sum[i]; }));
    });
}
