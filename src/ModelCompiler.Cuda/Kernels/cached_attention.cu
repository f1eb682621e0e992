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

// One new row: as many neighboring lanes as have 16 bytes of a head each read a key together, the block's warps all keys.
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

// A softmax over some of the keys, in memory: the weighted sum of their values, the maximum of their scores, the sum of their weights.
constexpr int PartSize = HEAD_WIDTH + 2;

struct Joined
{
    float sum;
    float maximum;
    float total;
};

// A column of the softmax over the keys of all parts. A part may have had none.
DEVICE Joined join(const float* parts, int count, int column)
{
    Joined joined = {0, -infinity(), 0};
    for (int i = 0; i < count; i++)
    {
        joined.maximum = greater(joined.maximum, parts[i * PartSize + HEAD_WIDTH]);
    }

    for (int i = 0; i < count; i++)
    {
        float maximum = parts[i * PartSize + HEAD_WIDTH];
        float factor = maximum > -infinity() ? power(maximum - joined.maximum) : 0;
        joined.sum = multiplyAdd(factor, parts[i * PartSize + column], joined.sum);
        joined.total = multiplyAdd(factor, parts[i * PartSize + HEAD_WIDTH + 1], joined.total);
    }

    return joined;
}

// o where every sequence has one new row. One block along x for each head of each sequence; blocks along y share the keys and, where there
// are several, leave parts.
KERNEL cached_attention_row(
    Rows<const real> q, Rows<const real> keyCache, Rows<const real> valueCache, Rows<real> o, float* parts, const Step* step, int heads, int keyValueHeads,
    int capacity)
{
    __shared__ float warpParts[MAXIMUM_THREADS / 32 * PartSize];
    int head = blockX() % heads;
    int keyHead = head / (heads / keyValueHeads);
    int sequence = blockX() / heads;
    int slot = threadIndex() / KeyLanes;
    int slots = threadCount() / KeyLanes;
    Head<const real> query = headOf(q, sequence, 1, head);
    Head<const real> keys = cacheOf(keyCache, step, sequence, capacity, keyHead);
    Head<const real> values = cacheOf(valueCache, step, sequence, capacity, keyHead);
    int share = (keys.rows + gridY() - 1) / gridY();
    int first = blockY() * share;
    int count = least(first + share, keys.rows);
    bool whole = query.isAligned(16) && keys.isAligned(16) && values.isAligned(16);
    float scale = scoreScale();
    Lanes<Width> queries[LanePieces];
    Partial partial = {-infinity(), 0, {}};
    UNROLL
    for (int p = 0; p < LanePieces; p++)
    {
        queries[p] = loadColumns(query.data, p, whole);
    }

    for (int from = first; from < count; from += slots * KeysInFlight)
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
                Lanes<Width> columns = loadColumns(keys.data + (i64)least(key, count - 1) * keys.stride, p, whole);
                UNROLL
                for (int c = 0; c < Width; c++)
                {
                    scores[i] = multiplyAdd(queries[p][c], columns[c], scores[i]);
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

            scores[i] = from + i * slots + slot < count ? scores[i] * scale : -infinity();
            highest = scores[i] > highest ? scores[i] : highest;
        }

        partial.raise(highest);
        UNROLL
        for (int i = 0; i < KeysInFlight; i++)
        {
            int key = from + i * slots + slot;
            float weight = key < count ? power(scores[i] - highest) : 0;
            partial.total += weight;
            UNROLL
            for (int p = 0; p < LanePieces; p++)
            {
                Lanes<Width> columns = loadColumns(values.data + least(key, count - 1) * values.stride, p, whole);
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
    float* own = warpParts + threadIndex() / 32 * PartSize;
    if (lane < KeyLanes)
    {
        UNROLL
        for (int p = 0; p < LanePieces; p++)
        {
            UNROLL
            for (int i = 0; i < Width; i++)
            {
                int c = (p * KeyLanes + lane) * Width + i;
                if (c < HEAD_WIDTH)
                {
                    own[c] = partial.sums[p][i];
                }
            }
        }
    }

    if (lane == 0)
    {
        own[HEAD_WIDTH] = partial.maximum;
        own[HEAD_WIDTH + 1] = partial.total;
    }

    barrier();
    float* part = parts + (i64)(blockX() * gridY() + blockY()) * PartSize;
    for (int c = threadIndex(); c < HEAD_WIDTH; c += threadCount())
    {
        Joined joined = join(warpParts, threadCount() / 32, c);
        if (gridY() == 1)
        {
            narrow(joined.sum / joined.total, o.row(sequence) + head * HEAD_WIDTH + c);
        }
        else
        {
            part[c] = joined.sum;
            part[HEAD_WIDTH] = joined.maximum;
            part[HEAD_WIDTH + 1] = joined.total;
        }
    }
}

// o of the parts that as many blocks have left for each head of each sequence. Blocks along x as there.
KERNEL cached_attention_join(const float* parts, Rows<real> o, int count, int heads)
{
    for (int c = threadIndex(); c < HEAD_WIDTH; c += threadCount())
    {
        Joined joined = join(parts + (i64)blockX() * count * PartSize, count, c);
        narrow(joined.sum / joined.total, o.row(blockX() / heads) + blockX() % heads * HEAD_WIDTH + c);
    }
}
