#include "rows.cuh"

// y[t] = x[t] + table[position(t)]. In place over x.
KERNEL learned_positions(Rows<const real> x, Rows<const weight> table, Rows<real> y, const Step* step, int columns)
{
    const real* from = x.row(blockX());
    const weight* added = table.row(positionOf(step, blockX()));
    real* to = y.row(blockX());
    forColumns(columns, areAligned(from, to) && areAligned(added), [&](auto n, int c) {
        auto value = load(n, from + c);
        auto place = load(n, added + c);
        store(to + c, each(n, [&](int i) { return value[i] + place[i]; }));
    });
}

// gradient[position(t)] += dy[t]: one block for each position of a sequence, which adds that row of every sequence in order.
KERNEL learned_positions_gradient(Rows<const real> dy, Rows<float> gradient, const Step* step, int columns)
{
    float* sum = gradient.row(positionOf(step, blockX()));
    forColumns(columns, false, [&](auto n, int c) {
        float total = sum[c];
        for (int sequence = 0; sequence < step->batch; sequence++)
        {
            total += widen(dy.row(sequence * step->sequence + blockX())[c]);
        }

        store(sum + c, each(n, [&](int) { return total; }));
    });
}
