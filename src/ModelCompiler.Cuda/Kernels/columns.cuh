// Sums over the rows of a matrix, one for each column.
#pragma once
#include "rows.cuh"

// sums[c] += the sum of term(row, c) over all rows. A block has 32 columns along x, one a lane; its warps share the rows.
template <class Term>
DEVICE void addColumnSums(int rows, int columns, float* sums, Term term)
{
    __shared__ float parts[MAXIMUM_THREADS];
    int lane = threadIndex() % 32;
    int warps = threadCount() / 32;
    int c = blockX() * 32 + lane;
    float sum = 0;
    for (int t = threadIndex() / 32; t < rows && c < columns; t += warps)
    {
        sum += term(t, c);
    }

    parts[threadIndex()] = sum;
    barrier();
    if (threadIndex() < 32 && c < columns)
    {
        float total = 0;
        for (int warp = 0; warp < warps; warp++)
        {
            total += parts[warp * 32 + lane];
        }

        sums[c] += total;
    }
}
