#include "columns.cuh"

// db += scale · Σ_t dy. One block for 32 columns.
KERNEL linear_gradient_bias(Rows<const real> dy, Rows<float> db, int rows, int columns, float scale)
{
    addColumnSums(rows, columns, db.data, [&](int t, int c) { return scale * widen(dy.row(t)[c]); });
}
