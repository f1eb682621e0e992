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
// a cycle. With an eighth of an mma, an eighth of a multiplication by the absmax, and what reads and decodes that, an element of one row tile
// comes to 2.8 instructions in PTX (addresses of shared memory, which are 64 bits long only there, left out).
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

// Lane copies of 256 pairs of values.
typedef Chunk<16> PairTable[256 * 32 * 4 / 16];

DEVICE void fill(PairTable& table)
{
    for (int i = threadIndex(); i < 256 * 8; i += threadCount())
    {
        u32 pair = packPair(Codebook[i / 8 / 16], Codebook[i / 8 % 16]);
        table[i] = {{pair, pair, pair, pair}};
    }
}

// The values of a byte of a word, the even element's in the lower half.
DEVICE u32 pairOf(const PairTable& table, u32 word, int byte)
{
    u32 row = (byte == 0 ? word << 7 : word >> (8 * byte - 7)) & 255 << 7;
    return *(const u32*)((const u8*)table + (row | threadIndex() % 32 * 4));
}

// What a lane has of its two rows of each piece: 16 codes; and the factors of the piece that is its own.
struct Batch
{
    Chunk<8> codes[Pieces][2];
    float factors[2];
};

// Tiles of outputs. Chunks are counted over the whole weight, from the first of a row of each of a lane's outputs.
template <int OutputTiles>
struct Panel
{
    const QuantizedWeight& w;
    int chunks;
    u32 starts[2 * OutputTiles];

    DEVICE Panel(const QuantizedProduct<bf16>& p, int firstOutput) : w(p.w), chunks(p.depth / ChunkLength)
    {
        UNROLL
        for (int i = 0; i < 2 * OutputTiles; i++)
        {
            // Rows beyond the last are read as the last.
            int output = firstOutput + 8 * i + threadIndex() % 32 / 4;
            starts[i] = (u32)(output < p.outputs ? output : p.outputs - 1) * chunks;
        }
    }

    // Chunks beyond the last are read as the last.
    DEVICE u32 clamped(int chunk) const { return chunk < chunks ? chunk : chunks - 1; }

    // Pieces from a chunk on.
    template <bool Nested>
    DEVICE Batch read(int chunk) const
    {
        Batch batch;
        int lane = threadIndex() % 4;
        const Chunk<8>* codes = (const Chunk<8>*)w.codes + lane;
        u32 own = clamped(chunk + lane / OutputTiles);
        UNROLL
        for (int half = 0; half < 2; half++)
        {
            UNROLL
            for (int i = 0; i < Pieces; i++)
            {
                batch.codes[i][half] = codes[(u64)(starts[i % OutputTiles * 2 + half] + clamped(chunk + i / OutputTiles)) * 4];
            }

            // Chosen, for an index that is known only later would put the array into memory.
            u32 start = starts[half];
            UNROLL
            for (int i = 1; i < OutputTiles; i++)
            {
                start = lane % OutputTiles == i ? starts[i * 2 + half] : start;
            }

            batch.factors[half] = w.factor<Nested>((start + own) >> (w.blockLog - ChunkLog));
        }

        return batch;
    }
};

template <int OutputTiles, int RowTiles>
struct Sums
{
    float at[OutputTiles][RowTiles][4];
};

// Of a row of x the 16 elements of a chunk that are the lane's own, two in a word. Which inputs a lane has does not matter to a sum, if it has
// the same ones of x and of the weight: consecutive ones are read at once.
DEVICE void readInputs(u32 (&words)[8], const QuantizedProduct<bf16>& p, int row, int chunk)
{
    const Chunk<16>* from = (const Chunk<16>*)(p.x.row(row < p.rows ? row : 0) + chunk * ChunkLength + threadIndex() % 4 * 16);
    UNROLL
    for (int i = 0; i < 2; i++)
    {
        Chunk<16> own = {};
        if (row < p.rows)
        {
            own = from[i];
        }

        UNROLL
        for (int j = 0; j < 4; j++)
        {
            words[4 * i + j] = own.words[j];
        }
    }
}

// Adds the products of one chunk, the index-th of a batch.
template <int OutputTiles, int RowTiles>
DEVICE void addChunk(
    Sums<OutputTiles, RowTiles>& sums, const Batch& batch, int index, const PairTable& table, const QuantizedProduct<bf16>& p, int chunk)
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
            decoded[o][i / 4][i % 4] = pairOf(table, batch.codes[piece][i % 2].words[i / 8], i / 4 % 2 * 2 + i % 4 / 2);
        }

        UNROLL
        for (int half = 0; half < 2; half++)
        {
            factors[o][half] = shuffleFrom(batch.factors[half], lane / 4 * 4 + piece);
        }
    }

    UNROLL
    for (int r = 0; r < RowTiles; r++)
    {
        u32 inputs[8];
        readInputs(inputs, p, r * TileRows + lane / 4, chunk);
        UNROLL
        for (int o = 0; o < OutputTiles; o++)
        {
            float product[4] = {};
            UNROLL
            for (int i = 0; i < 4; i++)
            {
                multiplyMatrices(product, decoded[o][i], inputs[2 * i], inputs[2 * i + 1]);
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
    Sums<OutputTiles, RowTiles>& sums, const Panel<OutputTiles>& panel, PairTable& table, bool isFilled, const QuantizedProduct<bf16>& p)
{
    constexpr int Together = Pieces / OutputTiles;
    int step = threadCount() / 32 * Together;
    int chunk = threadIndex() / 32 * Together;
    Batch next = panel.template read<Nested>(chunk);
    if (!isFilled)
    {
        // While the first codes are under way.
        fill(table);
        barrier();
    }

    while (chunk < panel.chunks)
    {
        Batch own = next;
        next = panel.template read<Nested>(chunk + step);
        UNROLL
        for (int i = 0; i < Together; i++)
        {
            if (chunk + i < panel.chunks)
            {
                addChunk(sums, own, i, table, p, chunk + i);
            }
        }

        chunk += step;
    }
}

// Up to RowTiles · 8 rows. Inputs are a multiple of 64, blocks of at least as many; rows of x are aligned to 16 bytes. A block takes panels of
// 16 · OutputTiles outputs in turn; its warps share the inputs.
template <int OutputTiles, int RowTiles>
DEVICE void gemm(const QuantizedProduct<bf16>& p)
{
    __shared__ PairTable table;
    __shared__ float parts[MAXIMUM_THREADS / 32 * AddedTiles * TileElements];
    constexpr int PanelOutputs = TileOutputs * OutputTiles;
    constexpr int Tiles = OutputTiles * RowTiles;
    constexpr int Added = Tiles < AddedTiles ? Tiles : AddedTiles;
    int lane = threadIndex() % 32;
    for (int first = blockX() * PanelOutputs; first < p.outputs; first += gridX() * PanelOutputs)
    {
        Sums<OutputTiles, RowTiles> sums = {};
        Panel<OutputTiles> panel(p, first);
        bool isFilled = first != blockX() * PanelOutputs;
        if (p.w.nested != nullptr)
        {
            addProducts<true>(sums, panel, table, isFilled, p);
        }
        else
        {
            addProducts<false>(sums, panel, table, isFilled, p);
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
