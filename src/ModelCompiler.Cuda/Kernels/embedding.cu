#include "reduce.cuh"
#include "rows.cuh"

// y[t] = scale · table[ids[t]]; NaN where an id is not below the table's number of entries, as no kernel can throw.
KERNEL embedding(Rows<const int> ids, Rows<const weight> table, Rows<real> y, int entries, int columns, float scale)
{
    int id = *ids.row(blockX());
    bool known = id >= 0 && id < entries;
    const weight* from = table.row(known ? id : 0);
    float factor = known ? scale : floatOf(0x7FC00000u);
    real* to = y.row(blockX());
    forColumns(columns, areAligned(to) && areAligned(from), [&](auto n, int c) {
        auto value = load(n, from + c);
        store(to + c, each(n, [&](int i) { return factor * value[i]; }));
    });
}

// gradient[ids[t]] += scale · dy[t], in token order. The block of the first row with an id adds all rows with it; the others end at once. The
// gradient is a table's, or the residual stream's rows that have a target, each of which comes once: that has activations' type.
KERNEL embedding_gradient(Rows<const real> dy, Rows<const int> ids, Rows<weight> gradient, int rows, int entries, int columns, float scale)
{
    __shared__ u32 found[MAXIMUM_THREADS / 32];
    int id = *ids.row(blockX());
    bool earlier = id < 0 || id >= entries;
    for (int t = threadIndex(); t < blockX() && !earlier; t += threadCount())
    {
        earlier = *ids.row(t) == id;
    }

    if (blockAny(earlier))
    {
        return;
    }

    weight* sum = gradient.row(id);
    for (int first = blockX(); first < rows; first += threadCount())
    {
        int own = first + threadIndex();
        u32 same = votes(own < rows && *ids.row(own < rows ? own : 0) == id);
        barrier();
        if (threadIndex() % 32 == 0)
        {
            found[threadIndex() / 32] = same;
        }

        barrier();
        for (int warp = 0; warp < threadCount() / 32; warp++)
        {
            for (u32 left = found[warp]; left != 0; left &= left - 1)
            {
                const real* from = dy.row(first + warp * 32 + lowestBit(left));

                // Rows of one id may be aligned differently, so that a thread's columns would not be the same in each.
                for (int c = threadIndex(); c < columns; c += threadCount())
                {
                    narrow(multiplyAdd(scale, widen(from[c]), widen(sum[c])), sum + c);
                }
            }
        }
    }
}
