// Attention of a tile of queries over all keys that they see, in one pass over the keys (Dao et al. 2022, 2023): the maximum of the scores so
// far, the sum of exponentials below it and the weighted sum of values are corrected whenever the maximum grows.
#pragma once
#include "softmax.cuh"

namespace Forward
{
// A warp with 32 rows loads every key and value half as often from shared memory as one with 16; wide heads leave no registers for it. In
// bf16 at width 128: 4 warps, 128 queries in 32 KiB, 32 keys and 32 values in 8 KiB each; of 255 registers 128 have the sums and 32 the scores.
constexpr int RowTiles = sizeof(real) == 2 && HeadColumns <= 128 ? 2 : 1;
constexpr int WarpRows = 16 * RowTiles;
constexpr int Warps = WarpsOf<32 * 1024, RowTiles>;
constexpr int Queries = Warps * WarpRows;
constexpr int Keys = StreamedRows<Queries * RowBytes>;
}

// Rows from `first` on. Query i of the sequence has position `position` + i and sees the keys up to that position. logSumExp may be none.
DEVICE void attend(
    const Head<const real>& q, const Head<const real>& k, const Head<const real>& v, const Head<real>& o, float* logSumExp, i64 stride, int position, int first)
{
    using namespace Forward;
    constexpr int Threads = Warps * 32;
    constexpr int Halves = 2 * RowTiles;
    __shared__ Tile<Queries> queries;
    __shared__ Tile<Keys> keys;
    __shared__ Tile<Keys> values;
    int own = threadIndex() / 32 * WarpRows;
    int firstPosition = position + first + own;
    int count = least(position + first + Queries, k.rows);
    float scale = scoreScale();

    Product<RowTiles, HeadColumns / 8> sums;
    sums.clear();
    float maximum[Halves];
    float total[Halves];
    UNROLL
    for (int h = 0; h < Halves; h++)
    {
        maximum[h] = -infinity();
        total[h] = 0;
    }

    copyTile<Queries, Threads>(queries.pieces, q, first);
    copyTile<Keys, Threads>(keys.pieces, k, 0);
    for (int from = 0; from < count; from += Keys)
    {
        // The keys are here, and no warp still reads the values before these, which come while the scores are computed.
        waitForCopies();
        barrier();
        copyTile<Keys, Threads>(values.pieces, v, from);
        bool seen = from < firstPosition + WarpRows;
        Product<RowTiles, Keys / 8> scores;
        if (seen)
        {
            multiply(scores, queries.pieces + own * PieceStride, keys.pieces);
            if (from + Keys > firstPosition + 1)
            {
                scores.forEach([&](int r, int c, int e) {
                    bool visible = from + laneColumn(c, e) <= firstPosition + laneRow(halfOf(r, e));
                    scores.at[r][c][e] = visible ? scores.at[r][c][e] : -infinity();
                });
            }

            float highest[Halves];
            UNROLL
            for (int h = 0; h < Halves; h++)
            {
                highest[h] = -infinity();
            }

            scores.forEach([&](int r, int c, int e) {
                float& high = highest[halfOf(r, e)];
                high = greater(high, scores.at[r][c][e]);
            });
            float correction[Halves];
            bool corrected = false;
            UNROLL
            for (int h = 0; h < Halves; h++)
            {
                // Every query sees the first key, so that no maximum is infinite from here on.
                highest[h] = greater(maximum[h], rowMaximum(highest[h]) * scale);
                correction[h] = power(maximum[h] - highest[h]);
                corrected |= maximum[h] != highest[h];
                maximum[h] = highest[h];
                total[h] *= correction[h];
            }

            scores.forEach([&](int r, int c, int e) {
                float weight = power(multiplyAdd(scores.at[r][c][e], scale, -maximum[halfOf(r, e)]));
                scores.at[r][c][e] = weight;
                total[halfOf(r, e)] += weight;
            });

            // The longer the keys so far, the seldomer.
            if (votes(corrected) != 0)
            {
                sums.forEach([&](int r, int c, int e) { sums.at[r][c][e] *= correction[halfOf(r, e)]; });
            }
        }

        // The values are here, and no warp still reads the keys.
        waitForCopies();
        barrier();
        if (from + Keys < count)
        {
            copyTile<Keys, Threads>(keys.pieces, k, from + Keys);
        }

        if (seen)
        {
            accumulate(sums, scores, values.pieces);
        }
    }

    float factors[Halves];
    UNROLL
    for (int h = 0; h < Halves; h++)
    {
        float sum = rowSum(total[h]);
        int row = first + own + laneRow(h);
        factors[h] = 1 / sum;
        if (logSumExp != nullptr && threadIndex() % 4 == 0 && row < q.rows)
        {
            logSumExp[row * stride] = maximum[h] / LogBase + logarithm(sum);
        }
    }

    storeRows(sums, factors, o, first + own);
}
