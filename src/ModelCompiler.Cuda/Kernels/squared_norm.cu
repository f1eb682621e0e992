#include "reduce.cuh"
#include "rows.cuh"

// parts[block] = Σ x² over every row of the block: block, block + blocks, and so on.
KERNEL squared_norm_parts(Rows<const float> x, double* parts, int rows, int columns)
{
    double sum = 0;
    for (int t = blockX(); t < rows; t += gridX())
    {
        const float* row = x.row(t);
        forColumns(columns, areAligned(row), [&](auto n, int c) {
            auto value = load(n, row + c);
            for (int i = 0; i < decltype(n)::Value; i++)
            {
                sum += (double)value[i] * value[i];
            }
        });
    }

    sum = blockSum(sum);
    if (threadIndex() == 0)
    {
        parts[blockX()] = sum;
    }
}

// sum[0] += Σ parts. One block.
KERNEL squared_norm_sum(const double* parts, float* sum, int count)
{
    double total = 0;
    for (int i = threadIndex(); i < count; i += threadCount())
    {
        total += parts[i];
    }

    total = blockSum(total);
    if (threadIndex() == 0)
    {
        *sum = (float)(*sum + total);
    }
}
