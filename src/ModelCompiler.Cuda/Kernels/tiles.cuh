// Rows of one head in shared memory, and products of them, for attention. A warp has 16 rows of a product for each of its row tiles, in the
// layout of mma.cuh's D: two rows and two columns of every 16 x 8 elements are a lane's own. In bf16 the tensor cores multiply; in float
// every lane computes its own elements.
#pragma once
#include "mma.cuh"
#include "reduce.cuh"
#include "rows.cuh"

#if !defined(HEAD_WIDTH) || HEAD_WIDTH < 1 || HEAD_WIDTH > 256
#error "Attention is compiled for a width of heads, 1 to 256."
#endif

// Elements of a head that one multiplication takes; a head is padded to a whole number of them with zeros.
constexpr int Depth = sizeof(real) == 2 ? 16 : 8;
constexpr int HeadColumns = (HEAD_WIDTH + Depth - 1) / Depth * Depth;

// A row is made of pieces of 16 bytes. Eight rows' pieces of the same index lie in eight different groups of banks, which is what ldmatrix
// reads at once: pieces change places within rows of whole 128 bytes, other rows are an odd number of pieces apart.
typedef Chunk<16> Piece;
constexpr int RowPieces = HeadColumns / Width;
constexpr bool Swizzled = RowPieces % 8 == 0;
constexpr int PieceStride = Swizzled ? RowPieces : RowPieces | 1;
constexpr int RowBytes = PieceStride * (int)sizeof(Piece);

DEVICE int pieceAt(int row, int piece) { return row * PieceStride + (Swizzled ? piece ^ (row & 7) : piece); }

template <int Rows>
struct alignas(128) Tile
{
    Piece pieces[Rows * PieceStride];
};

DEVICE SharedAddress addressOf(const Piece* tile, int row, int piece) { return sharedAddress(tile) + pieceAt(row, piece) * (int)sizeof(Piece); }

// The address so many pieces, an even number, after the first or second of a row: where the number is a constant, one register has all of them.
DEVICE SharedAddress advance(SharedAddress first, int pieces)
{
    return Swizzled ? (first ^ pieces % 8 * (int)sizeof(Piece)) + pieces / 8 * 128 : first + pieces * (int)sizeof(Piece);
}

// Tiles, like those of AttentionTiles.cs. All of a block's lie in 48 KiB, what a kernel can declare: own tiles, which stay, first; two
// tiles that rows are streamed through have the rest.
constexpr int SharedBytes = 48 * 1024;
constexpr int MaximumWarps = 4;

// Warps of a block whose own tile has up to so many bytes.
template <int TileBytes, int RowTiles>
constexpr int WarpsOf = TileBytes / (16 * RowTiles * RowBytes) < MaximumWarps ? TileBytes / (16 * RowTiles * RowBytes) : MaximumWarps;

// Rows, at most 64, of each of two streamed tiles beside own tiles of so many bytes.
template <int OwnBytes>
constexpr int StreamedRows = (SharedBytes - OwnBytes) / 2 / RowBytes < 64 ? (SharedBytes - OwnBytes) / 2 / RowBytes / Depth * Depth : 64;

DEVICE int least(int a, int b) { return a < b ? a : b; }

// One head of the rows of one sequence.
template <class T>
struct Head
{
    T* data;
    int stride;
    int rows;

    DEVICE bool isAligned(int bytes) const { return HEAD_WIDTH * sizeof(T) % bytes == 0 && ((u64)data | (u64)stride * sizeof(T)) % bytes == 0; }
};

template <class T>
DEVICE Head<T> headOf(const Rows<T>& x, i64 firstRow, int rows, int head)
{
    return {x.data + firstRow * x.stride + (i64)head * HEAD_WIDTH, (int)x.stride, rows};
}

// Starts copying rows of a head into a tile; rows outside the sequence and columns outside the head are 0. They are there when the thread has
// waited for its copies and the block has met. A thread has one piece of every so many rows, so that one addition leads to the next.
template <int TileRows, int Threads>
DEVICE void copyTile(Piece* tile, const Head<const real>& head, int firstRow)
{
    constexpr int Together = Threads / RowPieces > 1 ? Threads / RowPieces : 1;
    bool whole = head.isAligned(sizeof(Piece));
    int own = threadIndex() / RowPieces;
    for (int piece = threadIndex() % RowPieces; piece < RowPieces && own < Together; piece += Threads)
    {
        int column = piece * Width;
        const real* from = head.data + (i64)(firstRow + own) * head.stride + column;
        if (whole)
        {
            _Pragma("unroll 1")
            for (int i = 0; i < TileRows; i += Together)
            {
                int row = own + i;
                bool given = firstRow + row < head.rows && column < HEAD_WIDTH;
                if (TileRows % Together == 0 || row < TileRows)
                {
                    copyAsync(addressOf(tile, row, piece), given ? from : head.data, given);
                }

                from += Together * head.stride;
            }
        }
        else
        {
            for (int row = own; row < TileRows; row += Together)
            {
                bool inside = firstRow + row < head.rows;
                auto columns = each(Count<Width>(), [&](int c) { return inside && column + c < HEAD_WIDTH ? widen(from[c]) : 0.0f; });
                store((real*)(tile + pieceAt(row, piece)), columns);
                from += Together * head.stride;
            }
        }
    }
}

// Row and column, in a warp's product, of a lane's element; half h of a lane's rows is row laneRow(h).
DEVICE int laneRow(int half) { return 8 * half + threadIndex() % 32 / 4; }
DEVICE int laneColumn(int tile, int element) { return 8 * tile + threadIndex() % 4 * 2 + element % 2; }
DEVICE int halfOf(int tile, int element) { return 2 * tile + element / 2; }

// RowTiles x 16 rows and ColumnTiles x 8 columns of a product.
template <int RowTiles, int ColumnTiles>
struct Product
{
    float at[RowTiles][ColumnTiles][4];

    // Calls body(row tile, column tile, e) for every element of the lane.
    template <class Body>
    DEVICE static void forEach(Body body)
    {
        UNROLL
        for (int r = 0; r < RowTiles; r++)
        {
            UNROLL
            for (int c = 0; c < ColumnTiles; c++)
            {
                UNROLL
                for (int e = 0; e < 4; e++)
                {
                    body(r, c, e);
                }
            }
        }
    }

    DEVICE void clear()
    {
        forEach([&](int r, int c, int e) { at[r][c][e] = 0; });
    }
};

#if ACTIVATION_IS_BF16

// product = own otherᵀ, over the columns of the head: row r of the warp's rows of one tile with row c of another.
template <int RowTiles, int ColumnTiles>
DEVICE void multiply(Product<RowTiles, ColumnTiles>& product, const Piece* own, const Piece* other)
{
    static_assert(ColumnTiles % 2 == 0, "Two column tiles are loaded at once.");
    int lane = threadIndex() % 32;
    SharedAddress left = addressOf(own, lane % 16, lane / 16);
    SharedAddress right = addressOf(other, lane / 16 * 8 + lane % 8, lane / 8 % 2);
    product.clear();
    UNROLL
    for (int k = 0; k < HeadColumns / 16; k++)
    {
        u32 a[RowTiles][4];
        UNROLL
        for (int r = 0; r < RowTiles; r++)
        {
            loadMatrices(a[r], advance(left, 2 * k) + 16 * r * RowBytes);
        }

        UNROLL
        for (int c = 0; c < ColumnTiles; c += 2)
        {
            u32 b[4];
            loadMatrices(b, advance(right, 2 * k) + 8 * c * RowBytes);
            UNROLL
            for (int r = 0; r < RowTiles; r++)
            {
                multiplyMatrices(product.at[r][c], a[r], b[0], b[1]);
                multiplyMatrices(product.at[r][c + 1], a[r], b[2], b[3]);
            }
        }
    }
}

// sums += weights rows: a weight for each row of a tile, rounded to bf16. The layout of D's two halves is that of A.
template <int RowTiles, int ColumnTiles>
DEVICE void accumulate(Product<RowTiles, HeadColumns / 8>& sums, const Product<RowTiles, ColumnTiles>& weights, const Piece* rows)
{
    int lane = threadIndex() % 32;
    SharedAddress values = addressOf(rows, lane % 16, lane / 16);
    UNROLL
    for (int k = 0; k < ColumnTiles / 2; k++)
    {
        u32 a[RowTiles][4];
        UNROLL
        for (int r = 0; r < RowTiles; r++)
        {
            UNROLL
            for (int i = 0; i < 4; i++)
            {
                const float(&pair)[4] = weights.at[r][2 * k + i / 2];
                a[r][i] = packPair(pair[i % 2 * 2], pair[i % 2 * 2 + 1]);
            }
        }

        UNROLL
        for (int c = 0; c < HeadColumns / 16; c++)
        {
            u32 b[4];
            loadMatricesTransposed(b, advance(values, 2 * c) + 16 * k * RowBytes);
            UNROLL
            for (int r = 0; r < RowTiles; r++)
            {
                multiplyMatrices(sums.at[r][2 * c], a[r], b[0], b[1]);
                multiplyMatrices(sums.at[r][2 * c + 1], a[r], b[2], b[3]);
            }
        }
    }
}

#else

DEVICE Lanes<4> pieceOf(const Piece* tile, int row, int piece) { return load(Count<4>(), (const float*)(tile + pieceAt(row, piece))); }

// product = own otherᵀ, over the columns of the head: row r of the warp's rows of one tile with row c of another.
template <int RowTiles, int ColumnTiles>
DEVICE void multiply(Product<RowTiles, ColumnTiles>& product, const Piece* own, const Piece* other)
{
    int lane = threadIndex() % 32;
    product.clear();
    for (int piece = 0; piece < RowPieces; piece++)
    {
        UNROLL
        for (int r = 0; r < RowTiles; r++)
        {
            Lanes<4> a[2] = {pieceOf(own, 16 * r + lane / 4, piece), pieceOf(own, 16 * r + lane / 4 + 8, piece)};
            UNROLL
            for (int c = 0; c < ColumnTiles; c++)
            {
                UNROLL
                for (int e = 0; e < 2; e++)
                {
                    Lanes<4> b = pieceOf(other, 8 * c + 2 * (lane % 4) + e, piece);
                    UNROLL
                    for (int i = 0; i < 4; i++)
                    {
                        product.at[r][c][e] = multiplyAdd(a[0][i], b[i], product.at[r][c][e]);
                        product.at[r][c][e + 2] = multiplyAdd(a[1][i], b[i], product.at[r][c][e + 2]);
                    }
                }
            }
        }
    }
}

// sums += weights rows: a weight for each row of a tile. Four lanes have the weights of a row and get them from each other.
template <int RowTiles, int ColumnTiles>
DEVICE void accumulate(Product<RowTiles, HeadColumns / 8>& sums, const Product<RowTiles, ColumnTiles>& weights, const Piece* rows)
{
    int lane = threadIndex() % 32;

    // pieceAt(8k + i, 2c + half) for constant i and c: the lane's part of it in rows of even and of odd index.
    int half = lane % 4 / 2;
    const float* even = (const float*)rows + half * Width + lane % 2 * 2;
    const float* columns[2] = {even, Swizzled ? even + (1 - 2 * half) * Width : even};
    UNROLL
    for (int k = 0; k < ColumnTiles; k++)
    {
        UNROLL
        for (int i = 0; i < 8; i++)
        {
            UNROLL
            for (int r = 0; r < RowTiles; r++)
            {
                float low = shuffleFrom(weights.at[r][k][i % 2], lane / 4 * 4 + i / 2);
                float high = shuffleFrom(weights.at[r][k][i % 2 + 2], lane / 4 * 4 + i / 2);
                UNROLL
                for (int c = 0; c < HeadColumns / 8; c++)
                {
                    int piece = (8 * k + i) * PieceStride + (Swizzled ? 2 * c ^ (i & 6) : 2 * c);
                    Lanes<2> b = load(Count<2>(), columns[i % 2] + piece * Width);
                    UNROLL
                    for (int e = 0; e < 2; e++)
                    {
                        sums.at[r][c][e] = multiplyAdd(low, b[e], sums.at[r][c][e]);
                        sums.at[r][c][e + 2] = multiplyAdd(high, b[e], sums.at[r][c][e + 2]);
                    }
                }
            }
        }
    }
}

#endif

// Writes the warp's rows, from a row of the sequence on, each times the factor of its half.
template <int RowTiles>
DEVICE void storeRows(const Product<RowTiles, HeadColumns / 8>& product, const float (&factors)[2 * RowTiles], const Head<real>& head, int firstRow)
{
    bool pairs = head.isAligned(2 * sizeof(real));
    UNROLL
    for (int h = 0; h < 2 * RowTiles; h++)
    {
        int row = firstRow + laneRow(h);
        real* to = head.data + (i64)row * head.stride + laneColumn(0, 0);
        if (row >= head.rows)
        {
            continue;
        }

        if (pairs)
        {
            UNROLL
            for (int c = 0; c < HeadColumns / 8; c++)
            {
                const float(&sums)[4] = product.at[h / 2][c];
                Lanes<2> values = {{sums[h % 2 * 2] * factors[h], sums[h % 2 * 2 + 1] * factors[h]}};
                if (8 * c + 8 <= HEAD_WIDTH || laneColumn(c, 0) < HEAD_WIDTH)
                {
                    store(to + 8 * c, values);
                }
            }
        }
        else
        {
            UNROLL
            for (int i = 0; i < HeadColumns / 4; i++)
            {
                if (i / 2 * 8 + 8 <= HEAD_WIDTH || laneColumn(i / 2, i % 2) < HEAD_WIDTH)
                {
                    narrow(product.at[h / 2][i / 2][h % 2 * 2 + i % 2] * factors[h], to + i / 2 * 8 + i % 2);
                }
            }
        }
    }
}
