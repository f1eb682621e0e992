// The gradients of attention in the two passes of Dao (2023), made deterministic: queries' gradients by tiles of queries and keys' and values'
// by tiles of keys, so that every sum belongs to one warp. Probabilities come again from the scores and logSumExp.
#include "softmax.cuh"

namespace Backward
{
// In bf16 at width 128: 4 warps; of the 48 KiB two own tiles of 64 rows take 16 KiB each, two streamed tiles of 32 rows 8 KiB each. Of 255
// registers the sums of keys and values have 128, scores and slopes 32. Wider heads have no room for both sums: they take two turns.
constexpr int RowTiles = 1;
constexpr int Halves = 2 * RowTiles;
constexpr int WarpRows = 16 * RowTiles;
constexpr int Warps = WarpsOf<16 * 1024, RowTiles>;
constexpr int Threads = Warps * 32;
constexpr int Own = Warps * WarpRows;
constexpr int Streamed = StreamedRows<2 * Own * RowBytes>;
constexpr bool BothSums = HeadColumns <= 128;

typedef Product<RowTiles, HeadColumns / 8> Sums;
typedef Product<RowTiles, Streamed / 8> Scores;
}

// delta[t, head] = Σ dO · o over the head's columns. A block for each row; its warps share the heads.
KERNEL attention_gradient_delta(Rows<const real> dO, Rows<const real> o, Rows<float> delta, int heads)
{
    int lane = threadIndex() % 32;
    for (int head = threadIndex() / 32; head < heads; head += threadCount() / 32)
    {
        const real* gradient = dO.row(blockX()) + head * HEAD_WIDTH;
        const real* output = o.row(blockX()) + head * HEAD_WIDTH;
        float sum = 0;
        for (int c = lane; c < HEAD_WIDTH; c += 32)
        {
            sum = multiplyAdd(widen(gradient[c]), widen(output[c]), sum);
        }

        for (int lanes = 16; lanes > 0; lanes /= 2)
        {
            sum += shuffleXor(sum, lanes);
        }

        if (lane == 0)
        {
            delta.row(blockX())[head] = sum;
        }
    }
}

// dq = Σ_s dS k / √HEAD_WIDTH with dS = p · (dO · v − delta). Blocks as in attention.
KERNEL attention_gradient_query(
    Rows<const real> dO, Rows<const real> q, Rows<const real> k, Rows<const real> v, Rows<const float> logSumExp, Rows<const float> delta, Rows<real> dq,
    const Step* step, int heads, int keyValueHeads)
{
    using namespace Backward;
    __shared__ Tile<Own> queries;
    __shared__ Tile<Own> gradients;
    __shared__ Tile<Streamed> keys;
    __shared__ Tile<Streamed> values;
    int rows = step->sequence;
    int head = blockX() % heads;
    i64 start = (i64)(blockX() / heads) * rows;
    Head<const real> key = headOf(k, start, rows, head / (heads / keyValueHeads));
    Head<const real> value = headOf(v, start, rows, head / (heads / keyValueHeads));
    int first = (gridY() - 1 - blockY()) * Own;
    int own = threadIndex() / 32 * WarpRows;
    int count = least(first + Own, rows);
    float scale = scoreScale();
    float normalizer[Halves];
    float mean[Halves];
    UNROLL
    for (int h = 0; h < Halves; h++)
    {
        int row = first + own + laneRow(h);
        normalizer[h] = row < rows ? logSumExp.row((int)start + row)[head] * LogBase : 0;
        mean[h] = row < rows ? delta.row((int)start + row)[head] : 0;
    }

    Sums sums;
    sums.clear();
    copyTile<Own, Threads>(gradients.pieces, headOf(dO, start, rows, head), first);
    copyTile<Own, Threads>(queries.pieces, headOf(q, start, rows, head), first);
    copyTile<Streamed, Threads>(values.pieces, value, 0);
    for (int from = 0; from < count; from += Streamed)
    {
        // The values are here, and no warp still reads the keys before these, which come while slopes are computed.
        waitForCopies();
        barrier();
        copyTile<Streamed, Threads>(keys.pieces, key, from);
        bool seen = from < first + own + WarpRows;
        Scores slopes;
        if (seen)
        {
            multiply(slopes, gradients.pieces + own * PieceStride, values.pieces);
        }

        // The keys are here, and no warp still reads the values.
        waitForCopies();
        barrier();
        if (from + Streamed < count)
        {
            copyTile<Streamed, Threads>(values.pieces, value, from + Streamed);
        }

        if (seen)
        {
            Scores scores;
            multiply(scores, queries.pieces + own * PieceStride, keys.pieces);
            scores.forEach([&](int r, int c, int e) {
                int h = halfOf(r, e);
                bool visible = from + laneColumn(c, e) <= first + own + laneRow(h);
                float p = visible ? power(multiplyAdd(scores.at[r][c][e], scale, -normalizer[h])) : 0;
                slopes.at[r][c][e] = p * (slopes.at[r][c][e] - mean[h]);
            });
            accumulate(sums, slopes, keys.pieces);
        }
    }

    float factors[Halves];
    UNROLL
    for (int h = 0; h < Halves; h++)
    {
        factors[h] = 1 / squareRoot((float)HEAD_WIDTH);
    }

    storeRows(sums, factors, headOf(dq, start, rows, head), first + own);
}

// A warp's keys among the values of a statistic for each of the streamed queries, which its lanes hold.
struct Statistic
{
    float values[(Backward::Streamed + 31) / 32];

    DEVICE Statistic(const Rows<const float>& statistic, i64 start, int from, int rows, int head)
    {
        UNROLL
        for (int i = 0; i < (Backward::Streamed + 31) / 32; i++)
        {
            int row = from + 32 * i + threadIndex() % 32;
            values[i] = row < rows ? statistic.row((int)start + row)[head] : 0;
        }
    }

    // That of the query in a lane's column.
    DEVICE float at(int tile, int element) const { return shuffleFrom(values[tile / 4], laneColumn(tile, element) % 32); }
};

// What a block of keys reads and writes.
struct KeyTiles
{
    Piece* keys;
    Piece* values;
    Piece* queries;
    Piece* gradients;
    int first;
    bool keysWanted;
    bool valuesWanted;
};

// dk = Σ_t dSᵀ q / √HEAD_WIDTH and dv = Σ_t pᵀ dO over the queries of all heads of a group. dk and dv may be none.
template <bool Keys, bool Values>
DEVICE void sumOverQueries(
    const KeyTiles& tiles, const Rows<const real>& dO, const Rows<const real>& q, const Rows<const float>& logSumExp, const Rows<const float>& delta,
    const Head<real>& dk, const Head<real>& dv, i64 start, int firstHead, int group)
{
    using namespace Backward;
    int rows = dk.rows;
    int own = threadIndex() / 32 * WarpRows;
    int firstKey = tiles.first + own;
    int firstTile = tiles.first / Streamed;
    int turns = (rows + Streamed - 1) / Streamed - firstTile;
    float scale = scoreScale();
    bool keysWanted = Keys && tiles.keysWanted;
    bool valuesWanted = Values && tiles.valuesWanted;
    Sums keySums;
    Sums valueSums;
    keySums.clear();
    valueSums.clear();
    copyTile<Streamed, Threads>(tiles.gradients, headOf(dO, start, rows, firstHead), firstTile * Streamed);
    for (int i = 0; i < group * turns; i++)
    {
        int head = firstHead + i / turns;
        int from = (firstTile + i % turns) * Streamed;

        // The gradients are here, and no warp still reads the queries before these, which come while slopes are computed.
        waitForCopies();
        barrier();
        copyTile<Streamed, Threads>(tiles.queries, headOf(q, start, rows, head), from);
        Statistic normalizers(logSumExp, start, from, rows, head);
        Statistic means(delta, start, from, rows, head);
        bool seen = from + Streamed > firstKey;
        Scores slopes;
        if (seen && keysWanted)
        {
            multiply(slopes, tiles.values + own * PieceStride, tiles.gradients);
        }

        waitForCopies();
        barrier();
        Scores weights;
        if (seen)
        {
            multiply(weights, tiles.keys + own * PieceStride, tiles.queries);
            UNROLL
            for (int c = 0; c < Streamed / 8; c++)
            {
                UNROLL
                for (int e = 0; e < 2; e++)
                {
                    float normalizer = normalizers.at(c, e) * LogBase;
                    int query = from + laneColumn(c, e);
                    UNROLL
                    for (int h = 0; h < Halves; h++)
                    {
                        float& weight = weights.at[h / 2][c][h % 2 * 2 + e];
                        bool visible = query >= firstKey + laneRow(h) && query < rows;
                        weight = visible ? power(multiplyAdd(weight, scale, -normalizer)) : 0;
                    }
                }
            }

            if (valuesWanted)
            {
                accumulate(valueSums, weights, tiles.gradients);
            }
        }

        // No warp still reads the gradients.
        barrier();
        if (i + 1 < group * turns)
        {
            copyTile<Streamed, Threads>(
                tiles.gradients, headOf(dO, start, rows, firstHead + (i + 1) / turns), (firstTile + (i + 1) % turns) * Streamed);
        }

        if (seen && keysWanted)
        {
            UNROLL
            for (int c = 0; c < Streamed / 8; c++)
            {
                UNROLL
                for (int e = 0; e < 2; e++)
                {
                    float mean = means.at(c, e);
                    UNROLL
                    for (int h = 0; h < Halves; h++)
                    {
                        float& slope = slopes.at[h / 2][c][h % 2 * 2 + e];
                        slope = weights.at[h / 2][c][h % 2 * 2 + e] * (slope - mean);
                    }
                }
            }

            accumulate(keySums, slopes, tiles.queries);
        }
    }

    float keyFactors[Halves];
    float valueFactors[Halves];
    UNROLL
    for (int h = 0; h < Halves; h++)
    {
        keyFactors[h] = 1 / squareRoot((float)HEAD_WIDTH);
        valueFactors[h] = 1;
    }

    if (keysWanted)
    {
        storeRows(keySums, keyFactors, dk, firstKey);
    }

    if (valuesWanted)
    {
        storeRows(valueSums, valueFactors, dv, firstKey);
    }
}

// dk and dv, which may be none. A block along x for each key head of each sequence; along y one for each tile of keys, the first, which most
// queries see, first.
KERNEL attention_gradient_key_value(
    Rows<const real> dO, Rows<const real> q, Rows<const real> k, Rows<const real> v, Rows<const float> logSumExp, Rows<const float> delta, Rows<real> dk,
    Rows<real> dv, const Step* step, int heads, int keyValueHeads)
{
    using namespace Backward;
    __shared__ Tile<Own> keys;
    __shared__ Tile<Own> values;
    __shared__ Tile<Streamed> queries;
    __shared__ Tile<Streamed> gradients;
    int rows = step->sequence;
    int keyHead = blockX() % keyValueHeads;
    int group = heads / keyValueHeads;
    i64 start = (i64)(blockX() / keyValueHeads) * rows;
    KeyTiles tiles = {keys.pieces, values.pieces, queries.pieces, gradients.pieces, blockY() * Own, dk.given(), dv.given()};
    copyTile<Own, Threads>(keys.pieces, headOf(k, start, rows, keyHead), tiles.first);
    copyTile<Own, Threads>(values.pieces, headOf(v, start, rows, keyHead), tiles.first);
    Head<real> keyGradient = headOf(dk, start, rows, keyHead);
    Head<real> valueGradient = headOf(dv, start, rows, keyHead);
    if constexpr (BothSums)
    {
        sumOverQueries<true, true>(tiles, dO, q, logSumExp, delta, keyGradient, valueGradient, start, keyHead * group, group);
    }
    else
    {
        if (dk.given())
        {
            sumOverQueries<true, false>(tiles, dO, q, logSumExp, delta, keyGradient, valueGradient, start, keyHead * group, group);
        }

        if (dv.given())
        {
            sumOverQueries<false, true>(tiles, dO, q, logSumExp, delta, keyGradient, valueGradient, start, keyHead * group, group);
        }
    }
}
