using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelCompiler.Planning;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// y = scale · (x Wᵀ + bias) + start for few rows of x, one by one, and an NF4 weight: a generated token reads the codes once from memory, row
/// after row as they lie there, and multiplies them in <see cref="FixedPoint"/>, x in steps of its own for each block of up to 64. Fp32
/// arithmetic would be as slow as its look-ups, half of what the memory delivers; up to eight rows it is slower than this row by row.
/// </summary>
internal unsafe struct Nf4Gemv
{
    /// <summary>Work items a thread gets: few, since nothing asked for the codes at the start of one.</summary>
    private const int BlocksPerThread = 4;

    private const int LeastColumns = 64;

    /// <summary>Rows of codes whose factors are prepared together.</summary>
    private const int RowsTogether = 4;

    /// <summary>Codes that share a factor, and elements of x that share a step: at least, in the smallest blocks.</summary>
    private const int LeastRun = 32;

    /// <summary>And at most: a larger block has its factor for each of its runs.</summary>
    private const int MostRun = 64;

    /// <summary>Partial sums that a row's sum comes in.</summary>
    private const int SumsPerRow = 8;

    /// <summary>The longest row: its factors lie on the stack.</summary>
    private const int MostColumns = 1 << 16;

    private MatrixProduct* product;
    private short* x;
    private float* steps;
    private int run;
    private bool wide;
    private int columnsPerBlock;

    /// <summary>Whether the product has the shape, and the machine the instructions.</summary>
    public static bool Fits(in MatrixProduct product, long scratchBytes) =>
        Avx2.IsSupported && product.B.Type.Kind() == DType.NF4 && product.B.Transposed && product.LowRank == 0 && product.AStep == sizeof(float)
        && product.Rows <= SkinnyProduct.MostRows && product.Count % Nf4Dot.Unit256 == 0 && product.Count <= MostColumns && 1 << product.B.Codes.BlockShift >= LeastRun
        && (long)product.Count * sizeof(float) <= scratchBytes;

    /// <summary>Computes the product on the team; the first thread's scratch holds x.</summary>
    public static void Run(MatrixProduct* product, ThreadTeam team, byte* workspace)
    {
        int run = Math.Min(1 << product->B.Codes.BlockShift, MostRun);
        var gemv = new Nf4Gemv
        {
            product = product,
            x = (short*)workspace,
            steps = (float*)(workspace + product->Count * sizeof(short)),
            run = run,
            wide = Avx512BW.IsSupported && run == MostRun && product->Count % Nf4Dot.Unit512 == 0,
        };
        int share = (product->Columns + BlocksPerThread * team.Threads - 1) / (BlocksPerThread * team.Threads);
        gemv.columnsPerBlock = Math.Max(LeastColumns, (share + RowsTogether - 1) / RowsTogether * RowsTogether);
        int blocks = (product->Columns + gemv.columnsPerBlock - 1) / gemv.columnsPerBlock;
        for (int row = 0; row < product->Rows; row++)
        {
            gemv.Encode((float*)(product->A + row * product->ARow));
            MatrixProduct rest = *product;
            gemv.product = &rest;
            rest.C += row * product->CStride;
            rest.Start = product->Start == null ? null : product->Start + row * product->StartStride;
            team.Run(blocks, &Work, &gemv);
        }
    }

    [SkipLocalsInit]
    private readonly void Encode(float* row)
    {
        short* values = stackalloc short[Nf4Dot.Unit512];
        int unit = wide ? Nf4Dot.Unit512 : Nf4Dot.Unit256;
        for (int first = 0; first < product->Count; first += unit)
        {
            FixedPoint.Encode(row + first, unit, run, values, steps + first / run);
            if (wide)
            {
                Nf4Dot.Order512(values, x + first);
            }
            else
            {
                Nf4Dot.Order256(values, x + first);
            }
        }
    }

    [SkipLocalsInit]
    private static void Work(void* context, int block, int thread)
    {
        var gemv = (Nf4Gemv*)context;
        MatrixProduct* product = gemv->product;
        float* factors = stackalloc float[RowsTogether * (MostColumns / LeastRun)];
        float* sums = stackalloc float[RowsTogether * SumsPerRow];
        int end = Math.Min((block + 1) * gemv->columnsPerBlock, product->Columns);
        for (int n = block * gemv->columnsPerBlock; n < end; n += RowsTogether)
        {
            int rows = Math.Min(RowsTogether, end - n);
            gemv->Sums(n, rows, factors, sums);
            Join(sums);
            for (int i = 0; i < rows; i++)
            {
                float bias = product->Bias == null ? 0 : product->BiasAt(n + i);
                product->C[n + i] = product->Scale * (sums[i] / FixedPoint.One + bias) + (product->Start == null ? 0 : product->Start[n + i]);
            }
        }
    }

    private readonly void Sums(int first, int rows, float* factors, float* sums)
    {
        ref QuantizedMatrix w = ref product->B.Codes;
        int runs = w.Columns / run;
        float* stored = w.Factors((long)first * w.Columns, run, rows * runs, factors);
        byte* codes = w.Codes + (long)first * w.Columns / 2;
        for (int row = 0; row < rows; row++, stored += runs, codes += w.Columns / 2, sums += SumsPerRow)
        {
            Multiply(stored, steps, runs, factors);
            if (wide)
            {
                Nf4Dot.Row512(codes, factors, x, w.Columns, sums);
            }
            else
            {
                Nf4Dot.Row256(codes, factors, run < MostRun, x, w.Columns, sums);
            }

            factors += runs;
        }
    }

    /// <summary>The sums of four rows from their parts.</summary>
    private static void Join(float* sums)
    {
        Vector256<float> first = Avx.HorizontalAdd(Vector256.Load(sums), Vector256.Load(sums + 8));
        Vector256<float> second = Avx.HorizontalAdd(Vector256.Load(sums + 16), Vector256.Load(sums + 24));
        Vector256<float> halves = Avx.HorizontalAdd(first, second);
        (halves.GetLower() + halves.GetUpper()).Store(sums);
    }

    private static void Multiply(float* a, float* b, int count, float* destination)
    {
        int i = 0;
        for (; i + Vector256<float>.Count <= count; i += Vector256<float>.Count)
        {
            (Vector256.Load(a + i) * Vector256.Load(b + i)).Store(destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = a[i] * b[i];
        }
    }
}
