#include "rows.cuh"

// c = min(max(c − τ, 0), 1).
KERNEL shrink_gates(Rows<float> c, int columns, float threshold)
{
    float* gates = c.row(blockX());
    forColumns(columns, areAligned(gates), [&](auto n, int at) {
        auto gate = load(n, gates + at);
        store(gates + at, each(n, [&](int i) {
            float shrunk = gate[i] - threshold;
            return shrunk < 0 ? 0 : shrunk > 1 ? 1 : shrunk;
        }));
    });
}
