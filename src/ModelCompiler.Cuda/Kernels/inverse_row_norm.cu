#include "reduce.cuh"
#include "rows.cuh"

// inverse[o] = 1 / √(squares[o] + scale · Σ_k b[o, k] (2 inner[k, o] + scale · (gram bᵀ)[k, o])), 0 where the root's argument is not positive.
// One warp for each output; its lanes share the columns of gram.
KERNEL inverse_row_norm(
    Rows<const float> squares, Rows<const weight> b, Rows<const float> inner, Rows<const float> gram, Rows<float> inverse, int outputs, int rank, float scale)
{
    int o = blockX() * (threadCount() / 32) + threadIndex() / 32;
    if (o >= outputs)
    {
        return;
    }

    const weight* row = b.row(o);
    float sum = 0;
    for (int l = threadIndex() % 32; l < rank; l += 32)
    {
        float product = 0;
        for (int k = 0; k < rank; k++)
        {
            product = multiplyAdd(widen(row[k]), gram.row(k)[l], product);
        }

        sum = multiplyAdd(widen(row[l]), 2 * inner.row(l)[o] + scale * product, sum);
    }

    sum = squares.data[o] + scale * warpSum(sum);
    if (threadIndex() % 32 == 0)
    {
        inverse.data[o] = sum > 0 ? 1 / squareRoot(sum) : 0;
    }
}
