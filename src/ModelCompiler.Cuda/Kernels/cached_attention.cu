#include "attention.cuh"

// Rows of a cache: `capacity` for each sequence, in the order of positions.
template <class T>
DEVICE Head<T> cacheOf(const Rows<T>& cache, const Step* step, int sequence, int capacity, int head)
{
    return headOf(cache, (i64)sequence * capacity, step->position + step->sequence, head);
}

// Copies k and v behind what the caches hold of their sequences. One block along x for each row.
KERNEL cached_attention_append(
    Rows<const real> k, Rows<const real> v, Rows<real> keyCache, Rows<real> valueCache, const Step* step, int columns, int capacity)
{
    int row = blockX() / step->sequence * capacity + positionOf(step, blockX());
    const real* key = k.row(blockX());
    const real* value = v.row(blockX());
    real* keyTo = keyCache.row(row);
    real* valueTo = valueCache.row(row);
    forColumns(columns, areAligned(key, value, keyTo, valueTo), [&](auto n, int c) {
        store(keyTo + c, load(n, key + c));
        store(valueTo + c, load(n, value + c));
    });
}

// o of several new rows of each sequence, whose keys and values are in the caches. Blocks as in attention.
KERNEL cached_attention(
    Rows<const real> q, Rows<const real> keyCache, Rows<const real> valueCache, Rows<real> o, const Step* step, int heads, int keyValueHeads, int capacity)
{
    int rows = step->sequence;
    int head = blockX() % heads;
    int keyHead = head / (heads / keyValueHeads);
    int sequence = blockX() / heads;
    i64 start = (i64)sequence * rows;
    attend(
        headOf(q, start, rows, head), cacheOf(keyCache, step, sequence, capacity, keyHead), cacheOf(valueCache, step, sequence, capacity, keyHead),
        headOf(o, start, rows, head), nullptr, 0, step->position, (gridY() - 1 - blockY()) * Forward::Queries);
}

// One new row: as many neighbouring lanes as have 16 bytes of a head each read a key together, the block's warps all keys.
constexpr int QueryPieces = (HEAD_WIDTH + Width - 1) / Width;
constexpr int KeyLanes = QueryPieces > 16 ? 32 : QueryPieces > 8 ? 16 : QueryPieces > 4 ? 8 : QueryPieces > 2 ? 4 : QueryPieces;
constexpr int LanePieces = (QueryPieces + KeyLanes - 1) / KeyLanes;

// Keys whose loads are under way at once.
constexpr int KeysInFlight = LanePieces == 1 ? 8 : 4;

// Softmax over some of the keys, and a lane's columns of the weighted sum of their values.
struct Partial
{
    float maximum;
    float total;
    Lanes<Width> sums[LanePieces];

    // Everything below a new maximum.
    DEVICE void raise(float highest)
    {
        float correction = maximum == -infinity() ? 0 : power(maximum - highest);
        maximum = highest;
        total *= correction;
        UNROLL
        for (int p = 0; p < LanePieces; p++)
        {
            sums[p] = each(Count<Width>(), [&](int i) { return sums[p][i] * correction; });
        }
    }
};

// Columns of a row of a head that a lane has in a piece of its own, 0 outside the head.
DEVICE Lanes<Width> loadColumns(const real* row, int piece, bool whole)
{
    int c = (piece * KeyLanes + threadIndex() % KeyLanes) * Width;
    if (whole && c < HEAD_WIDTH)
    {
        return load(Count<Width>(), row + c);
    }

    return each(Count<Width>(), [&](int i) { return c + i < HEAD_WIDTH ? widen(row[c + i]) : 0.0f; });
}

// o where every sequence has one new row. One block along x for each head of each sequence.
KERNEL cached_attention_row(
    Rows<const real> q, Rows<const real> keyCache, Rows<const real> valueCache, Rows<real> o, const Step* step, int heads, int keyValueHeads, int capacity)
{
    constexpr int MostWarps = MAXIMUM_THREADS / 32;
    __shared__ float sums[MostWarps][HEAD_WIDTH];
    __shared__ float maxima[MostWarps];
    __shared__ float totals[MostWarps];
    int head = blockX() % heads;
    int keyHead = head / (heads / keyValueHeads);
    int sequence = blockX() / heads;
    int warps = threadCount() / 32;
    int warp = threadIndex() / 32;
    int slot = threadIndex() / KeyLanes;
    int slots = threadCount() / KeyLanes;
    Head<const real> query = headOf(q, sequence, 1, head);
    Head<const real> keys = cacheOf(keyCache, step, sequence, capacity, keyHead);
    Head<const real> values = cacheOf(valueCache, step, sequence, capacity, keyHead);
    bool whole = query.isAligned(16) && keys.isAligned(16) && values.isAligned(16);
    float scale = scoreScale();
    Lanes<Width> own[LanePieces];
    Partial partial = {-infinity(), 0, {}};
    UNROLL
    for (int p = 0; p < LanePieces; p++)
    {
        own[p] = loadColumns(query.data, p, whole);
    }

    for (int from = 0; from < keys.rows; from += slots * KeysInFlight)
    {
        float scores[KeysInFlight];
        float highest = partial.maximum;
        UNROLL
        for (int i = 0; i < KeysInFlight; i++)
        {
            int key = from + i * slots + slot;
            scores[i] = 0;
            UNROLL
            for (int p = 0; p < LanePieces; p++)
            {
                Lanes<Width> columns = loadColumns(keys.data + least(key, keys.rows - 1) * keys.stride, p, whole);
                UNROLL
                for (int c = 0; c < Width; c++)
                {
                    scores[i] = multiplyAdd(own[p][c], columns[c], scores[i]);
                }
            }
        }

        UNROLL
        for (int i = 0; i < KeysInFlight; i++)
        {
            UNROLL
            for (int lanes = KeyLanes / 2; lanes > 0; lanes /= 2)
            {
                scores[i] += shuffleXor(scores[i], lanes);
            }

            scores[i] = from + i * slots + slot < keys.rows ? scores[i] * scale : -infinity();
            highest = scores[i] > highest ? scores[i] : highest;
        }

        partial.raise(highest);
        UNROLL
        for (int i = 0; i < KeysInFlight; i++)
        {
            int key = from + i * slots + slot;
            float weight = key < keys.rows ? power(scores[i] - highest) : 0;
            partial.total += weight;
            UNROLL
            for (int p = 0; p < LanePieces; p++)
            {
                Lanes<Width> columns = loadColumns(values.data + least(key, keys.rows - 1) * values.stride, p, whole);
                UNROLL
                for (int c = 0; c < Width; c++)
                {
                    partial.sums[p][c] = multiplyAdd(weight, columns[c], partial.sums[p][c]);
                }
            }
        }
    }

    // The keys of a warp's lanes together. A lane may have had none.
    UNROLL
    for (int lanes = KeyLanes; lanes < 32; lanes *= 2)
    {
        float other = shuffleXor(partial.maximum, lanes);
        partial.raise(other > partial.maximum ? other : partial.maximum);
        partial.total += shuffleXor(partial.total, lanes);
        UNROLL
        for (int p = 0; p < LanePieces; p++)
        {
            partial.sums[p] = each(Count<Width>(), [&](int i) { return partial.sums[p][i] + shuffleXor(partial.sums[p][i], lanes); });
        }
    }

    int lane = threadIndex() % 32;
    if (lane < KeyLanes)
    {
        maxima[warp] = partial.maximum;
        totals[warp] = partial.total;
        UNROLL
        for (int p = 0; p < LanePieces; p++)
        {
            UNROLL
            for (int i = 0; i < Width; i++)
            {
                int c = (p * KeyLanes + lane) * Width + i;
                if (c < HEAD_WIDTH)
                {
                    sums[warp][c] = partial.sums[p][i];
                }
            }
        }
    }

    barrier();
    float maximum = maxima[0];
    for (int w = 1; w < warps; w++)
    {
        maximum = maxima[w] > maximum ? maxima[w] : maximum;
    }

    for (int c = threadIndex(); c < HEAD_WIDTH; c += threadCount())
    {
        float total = 0;
        float sum = 0;
        for (int w = 0; w < warps; w++)
        {
            float factor = power(maxima[w] - maximum);
            total = multiplyAdd(factor, totals[w], total);
            sum = multiplyAdd(factor, sums[w][c], sum);
        }

        narrow(sum / total, o.row(sequence) + head * HEAD_WIDTH + c);
    }
}
