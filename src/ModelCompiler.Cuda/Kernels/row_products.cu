#include "reduce.cuh"
#include "rows.cuh"

// sums[t] += Σ_c a[t, c] · b[t, c].
KERNEL row_products(Rows<const float> a, Rows<const float> b, Rows<float> sums, int columns)
{
    const float* left = a.row(blockX());
    const float* right = b.row(blockX());
    float sum = 0;
    forColumns(columns, areAligned(left, right), [&](auto n, int c) {
        auto l = load(n, left + c);
        auto r = load(n, right + c);
        for (int i = 0; i < decltype(n)::Value; i++)
        {
            sum = multiplyAdd(l[i], r[i], sum);
        }
    });
    sum = blockSum(sum);
    if (threadIndex() == 0)
    {
        sums.data[blockX()] += sum;
    }
}
