// Products of few rows with an NF4 weight on the tensor cores, in bf16.
//
// An H200 reads weights at 4.8 TB/s, 43 elements of 4.127 bits in a cycle of each of its multiprocessors, which have 128 lanes and 64 units for
// integers: an element may cost three instructions, and one and a half on integers, before these and not memory set the time. To widen an
// element and multiply it in float would be most of that. So 16 rows of the weight are the first operand of mma.m16n8k16 and up to eight rows
// of x the second: eight elements an instruction and lane, none widened. The codebook's values are rounded to bf16 for it; factors and sums
// stay in float.
//
// A byte, two codes, is decoded by one lookup of both values. Lanes read different entries at once, so each has a copy of the table in a bank
// of its own. That is half a shift, half a logical instruction and half a lookup for an element, and a multiprocessor looks 64 elements up in
// a cycle.
#include "mma.cuh"
#include "quantized.cuh"
#include "reduce.cuh"

// Outputs and rows of x of one product, and inputs that are multiplied with one absmax: a block has whole chunks.
constexpr int TileOutputs = 16;
constexpr int TileRows = 8;
constexpr int ChunkLog = 6;
constexpr int ChunkLength = 1 << ChunkLog;

// What a warp reads ahead: so many pieces, each a chunk of a tile of outputs; as many as lanes share a row, for each decodes one piece's factors.
constexpr int Pieces = 4;

// Products of which the warps' parts are added at once.
constexpr int AddedTiles = 2;
constexpr int TileElements = TileOutputs * TileRows;

// Lane copies of 256 pairs of values, and the map of factors.
struct Tables
{
    Chunk<16> pairs[256 * 32 * 4 / 16];
    float map[256];
};

DEVICE void fill(Tables& tables, const float* map)
{
    for (int i = threadIndex(); i < 256 * 8; i += threadCount())
    {
        u32 pair = packPair(Codebook[i / 8 / 16], Codebook[i / 8 % 16]);
        tables.pairs[i] = {{pair, pair, pair, pair}};
    }

    for (int i = threadIndex(); i < 256; i += threadCount())
    {
        tables.map[i] = map[i];
    }
}

// The values of a byte of a word, the even element's in the lower half.
DEVICE u32 pairOf(const Tables& tables, u32 word, int byte)
{
    u32 row = (byte == 0 ? word << 7 : word >> (8 * byte - 7)) & 255 << 7;
    return *(const u32*)((const u8*)tables.pairs + (row | threadIndex() % 32 * 4));
}

// What a lane has of its two rows of each piece: 16 codes; and the factors of the piece that is its own, which are made when the batch's turn
// comes: before, all that is under way would be waited for.
struct Batch
{
    Chunk<8> codes[Pieces][2];
    FactorParts parts[2];
};

// Tiles of outputs, of whose rows a lane has two each.
template <int OutputTiles>
struct Panel
{
    // The lane's codes of the rows' first chunk, and their first chunks counted over the whole weight in the tile of its own piece.
    const Chunk<8>* codes[OutputTiles][2];
    u32 chunks[2];

    DEVICE Panel(const QuantizedProduct<bf16>& p, int firstOutput)
    {
        UNROLL
        for (int half = 0; half < 2; half++)
        {
            UNROLL
            for (int o = 0; o < OutputTiles; o++)
            {
                codes[o][half] = (const Chunk<8>*)p.w.codes + (u64)chunkOf(p, firstOutput, o, half) * 4 + threadIndex() % 4;
            }

            chunks[half] = chunkOf(p, firstOutput, threadIndex() % OutputTiles, half);
        }
    }

    // Rows beyond the last are read as the last.
    DEVICE static u32 chunkOf(const QuantizedProduct<bf16>& p, int firstOutput, int tile, int half)
    {
        int output = firstOutput + TileOutputs * tile + 8 * half + threadIndex() % 32 / 4;
        return (u32)(output < p.outputs ? output : p.outputs - 1) * (p.depth / ChunkLength);
    }

    // Pieces from a chunk on.
    template <bool Nested>
    DEVICE Batch read(const QuantizedProduct<bf16>& p, int chunk) const
    {
        Batch batch;
        UNROLL
        for (int half = 0; half < 2; half++)
        {
            UNROLL
            for (int i = 0; i < Pieces; i++)
            {
                batch.codes[i][half] = codes[i % OutputTiles][half][chunk * 4 + i / OutputTiles * 4];
            }

            batch.parts[half] = p.w.parts<Nested>((chunks[half] + chunk + threadIndex() % 4 / OutputTiles) >> ((int)p.w.blockLog - ChunkLog));
        }

        return batch;
    }
};

// Where in x the lane's first input of each of its rows lies. Rows beyond the last are read as the first: their sums are nobody's.
template <int RowTiles>
struct Inputs
{
    u32 at[RowTiles];

    DEVICE Inputs(const QuantizedProduct<bf16>& p)
    {
        UNROLL
        for (int r = 0; r < RowTiles; r++)
        {
            int row = r * TileRows + threadIndex() % 32 / 4;
            at[r] = (u32)(row < p.rows ? row : 0) * (u32)p.x.stride + threadIndex() % 4 * 16;
        }
    }

    // The lane's 16 elements of a chunk, two in a word. Which inputs a lane has does not matter to a sum, if it has the same ones of x and of the
    // weight: consecutive ones are read at once.
    DEVICE void read(u32 (&words)[8], const QuantizedProduct<bf16>& p, int tile, int chunk) const
    {
        const Chunk<16>* from = (const Chunk<16>*)(p.x.data + (at[tile] + chunk * ChunkLength));
        Chunk<16> halves[2] = {from[0], from[1]};
        UNROLL
        for (int i = 0; i < 8; i++)
        {
            words[i] = halves[i / 4].words[i % 4];
        }
    }
};

template <int OutputTiles, int RowTiles>
struct Sums
{
    float at[OutputTiles][RowTiles][4];
};

// Adds the products of one chunk, the index-th of a batch.
template <int OutputTiles, int RowTiles>
DEVICE void addChunk(
    Sums<OutputTiles, RowTiles>& sums, const Batch& batch, const float (&own)[2], int index, const Tables& tables, const Inputs<RowTiles>& inputs,
    const QuantizedProduct<bf16>& p, int chunk)
{
    int lane = threadIndex() % 32;
    u32 decoded[OutputTiles][4][4];
    float factors[OutputTiles][2];
    UNROLL
    for (int o = 0; o < OutputTiles; o++)
    {
        int piece = index * OutputTiles + o;
        UNROLL
        for (int i = 0; i < 16; i++)
        {
            // The order of mma's first operand: both rows, then the next inputs of both.
            decoded[o][i / 4][i % 4] = pairOf(tables, batch.codes[piece][i % 2].words[i / 8], i / 4 % 2 * 2 + i % 4 / 2);
        }

        UNROLL
        for (int half = 0; half < 2; half++)
        {
            factors[o][half] = shuffleFrom(own[half], lane / 4 * 4 + piece);
        }
    }

    UNROLL
    for (int r = 0; r < RowTiles; r++)
    {
        u32 words[8];
        inputs.read(words, p, r, chunk);
        UNROLL
        for (int o = 0; o < OutputTiles; o++)
        {
            float product[4] = {};
            UNROLL
            for (int i = 0; i < 4; i++)
            {
                multiplyMatrices(product, decoded[o][i], words[2 * i], words[2 * i + 1]);
            }

            UNROLL
            for (int e = 0; e < 4; e++)
            {
                sums.at[o][r][e] = multiplyAdd(factors[o][e / 2], product[e], sums.at[o][r][e]);
            }
        }
    }
}

template <bool Nested, int OutputTiles, int RowTiles>
DEVICE void addProducts(
    Sums<OutputTiles, RowTiles>& sums, const Panel<OutputTiles>& panel, Tables& tables, bool isFilled, const Inputs<RowTiles>& inputs,
    const QuantizedProduct<bf16>& p)
{
    constexpr int Together = Pieces / OutputTiles;
    int chunks = p.depth / ChunkLength;
    int last = chunks - Together;
    int step = threadCount() / 32 * Together;
    float mean = Nested ? *p.w.mean : 0;

    // From a lane, so that the compiler knows it to be the same in all.
    int chunk = (int)shuffleFrom((u32)threadIndex() / 32, 0) * Together;
    Batch next = panel.template read<Nested>(p, chunk < last ? chunk : last);
    if (!isFilled)
    {
        // While the first codes are under way.
        fill(tables, p.w.map);
        barrier();
    }

    while (chunk < chunks)
    {
        Batch own = next;
        int first = chunk < last ? chunk : last;
        int due = chunk;
        chunk += step;
        if (chunk < chunks)
        {
            next = panel.template read<Nested>(p, chunk < last ? chunk : last);
        }

        float factors[2] = {factorOf<Nested>(own.parts[0], tables.map, mean), factorOf<Nested>(own.parts[1], tables.map, mean)};
        UNROLL
        for (int i = 0; i < Together; i++)
        {
            // The last batch may begin with chunks that are another warp's.
            if (first + i >= due)
            {
                addChunk(sums, own, factors, i, tables, inputs, p, first + i);
            }
        }
    }
}

// Up to RowTiles · 8 rows. Inputs are a multiple of 64 and at least 256, blocks of 64 or more; rows of x are aligned to 16 bytes. A block takes panels of
// 16 · OutputTiles outputs in turn; its warps share the inputs.
template <int OutputTiles, int RowTiles>
DEVICE void gemm(const QuantizedProduct<bf16>& p)
{
    __shared__ Tables tables;
    __shared__ float parts[MAXIMUM_THREADS / 32 * AddedTiles * TileElements];
    constexpr int PanelOutputs = TileOutputs * OutputTiles;
    constexpr int Tiles = OutputTiles * RowTiles;
    constexpr int Added = Tiles < AddedTiles ? Tiles : AddedTiles;
    int lane = threadIndex() % 32;
    Inputs<RowTiles> inputs(p);
    for (int first = blockX() * PanelOutputs; first < p.outputs; first += gridX() * PanelOutputs)
    {
        Sums<OutputTiles, RowTiles> sums = {};
        Panel<OutputTiles> panel(p, first);
        bool isFilled = first != blockX() * PanelOutputs;
        if (p.w.nested != nullptr)
        {
            addProducts<true>(sums, panel, tables, isFilled, inputs, p);
        }
        else
        {
            addProducts<false>(sums, panel, tables, isFilled, inputs, p);
        }

        UNROLL
        for (int tile = 0; tile < Tiles; tile += Added)
        {
            // What was added before is read by every thread before it is overwritten.
            barrier();
            UNROLL
            for (int i = 0; i < Added * 4; i++)
            {
                int at = (threadIndex() / 32 * Added + i / 4) * TileElements + i % 4 * 32 + lane;
                parts[at] = sums.at[(tile + i / 4) / RowTiles][(tile + i / 4) % RowTiles][i % 4];
            }

            barrier();
            for (int i = threadIndex(); i < Added * TileElements; i += threadCount())
            {
                int own = tile + i / TileElements;
                int n = i % TileOutputs;
                int t = i / TileOutputs % TileRows;
                int output = first + own / RowTiles * TileOutputs + n;
                int row = own % RowTiles * TileRows + t;
                if (output < p.outputs && row < p.rows)
                {
                    // Where mma has the element: its lane and which of the lane's four.
                    int at = i / TileElements * TileElements + (n / 8 * 2 + t % 2) * 32 + n % 8 * 4 + t / 2;
                    float sum = 0;
                    for (int warp = 0; warp < threadCount() / 32; warp++)
                    {
                        sum += parts[warp * Added * TileElements + at];
                    }

                    p.write(row, output, sum);
                }
            }
        }
    }
}

// Up to eight rows of x; and more, which are read for more outputs at once.
KERNEL nf4_gemm_8(QuantizedProduct<bf16> p)
{
    gemm<1, 1>(p);
}

KERNEL nf4_gemm_16(QuantizedProduct<bf16> p)
{
    gemm<2, 2>(p);
}

KERNEL nf4_gemm_32(QuantizedProduct<bf16> p)
{
    gemm<2, 4>(p);
}

KERNEL nf4_gemm_64(QuantizedProduct<bf16> p)
{
    gemm<2, 8>(p);
}
