using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// y = scale · (x Wᵀ + bias) + start for one or two rows of x and an NF4 weight: a generated token reads the codes once from memory and decodes
/// them in registers. A vector of 32-bit words holds 8 codes each; shifted by 4 j they are indices into the codebook, so x is brought
/// into the order in which the codes appear, once a call.
/// </summary>
internal unsafe struct Nf4Gemv
{
    private const int MostRows = 2;
    private const int CodesPerWord = 8;

    /// <summary>Work items a thread gets: few, since nothing asked for the codes at the start of one.</summary>
    private const int BlocksPerThread = 4;

    private const int LeastColumns = 64;

    /// <summary>Codes that share factors in the inner loop; a row has whole runs of them.</summary>
    private const int Run64 = 64;

    /// <summary>Rows of codes that share each load of x.</summary>
    private const int RowsTogether = 4;

    /// <summary>The longest row: its factors lie on the stack.</summary>
    private const int MostColumns = 1 << 16;

    private MatrixProduct* product;
    private float* ordered;
    private int word;
    private int columnsPerBlock;

    /// <summary>Whether the product has the shape, and the machine the instructions.</summary>
    public static bool Fits(in MatrixProduct product, long scratchBytes) =>
        Avx2.IsSupported && product.B.Type.Kind() == DType.NF4 && product.B.Transposed && product.LowRank == 0 && product.AStep == sizeof(float)
        && product.Rows <= MostRows && product.Count % Run64 == 0 && product.B.Codes.BlockShift >= 6
        && product.Count <= MostColumns && (long)product.Count * sizeof(float) <= scratchBytes;

    /// <summary>Computes the product on the team; the first thread's scratch holds the ordered x.</summary>
    public static void Run(MatrixProduct* product, ThreadTeam team, byte* workspace)
    {
        bool wide = Avx512F.IsSupported && product->Count % (2 * Run64) == 0;
        var gemv = new Nf4Gemv { product = product, ordered = (float*)workspace, word = wide ? Vector512<uint>.Count : Vector256<uint>.Count };
        int share = (product->Columns + BlocksPerThread * team.Threads - 1) / (BlocksPerThread * team.Threads);
        gemv.columnsPerBlock = Math.Max(LeastColumns, (share + RowsTogether - 1) / RowsTogether * RowsTogether);
        int blocks = (product->Columns + gemv.columnsPerBlock - 1) / gemv.columnsPerBlock;
        for (int row = 0; row < product->Rows; row++)
        {
            gemv.Order((float*)(product->A + row * product->ARow));
            MatrixProduct rest = *product;
            gemv.product = &rest;
            rest.C += row * product->CStride;
            rest.Start = product->Start == null ? null : product->Start + row * product->StartStride;
            team.Run(blocks, &Work, &gemv);
        }
    }

    /// <summary>Word d's code at shift 4 j is element 8 d + (j xor 1) of its run: the even element of a byte is the high half.</summary>
    private readonly void Order(float* x)
    {
        int run = CodesPerWord * word;
        for (int first = 0; first < product->Count; first += run)
        {
            for (int j = 0; j < CodesPerWord; j++)
            {
                for (int d = 0; d < word; d++)
                {
                    ordered[first + j * word + d] = x[first + CodesPerWord * d + (j ^ 1)];
                }
            }
        }
    }

    [SkipLocalsInit]
    private static void Work(void* context, int block, int thread)
    {
        var gemv = (Nf4Gemv*)context;
        MatrixProduct* product = gemv->product;
        float* factors = stackalloc float[RowsTogether * (MostColumns / Run64)];
        float* sums = stackalloc float[RowsTogether];
        int end = Math.Min((block + 1) * gemv->columnsPerBlock, product->Columns);
        int rows;
        for (int n = block * gemv->columnsPerBlock; n < end; n += rows)
        {
            // Of fewer than four rows each is all four.
            rows = end - n < RowsTogether ? 1 : RowsTogether;
            gemv->Sums(n, rows, factors, sums);
            for (int i = 0; i < rows; i++)
            {
                float bias = product->Bias == null ? 0 : product->BiasAt(n + i);
                product->C[n + i] = product->Scale * (sums[i] + bias) + (product->Start == null ? 0 : product->Start[n + i]);
            }
        }
    }

    private readonly void Sums(int first, int rows, float* factors, float* sums)
    {
        ref QuantizedMatrix w = ref product->B.Codes;
        int runs = w.Columns / Run64;
        factors = w.Factors((long)first * w.Columns, Run64, rows * runs, factors);
        byte* codes = w.Codes + (long)first * w.Columns / 2;
        nint codeRow = rows == 1 ? 0 : w.Columns / 2, factorRow = rows == 1 ? 0 : runs;
        if (word == Vector512<uint>.Count)
        {
            Sums512(codes, codeRow, factors, factorRow, runs, ordered, sums);
            return;
        }

        Sums256(codes, codeRow, factors, factorRow, runs, ordered, sums);
        Sums256(codes + 2 * codeRow, codeRow, factors + 2 * factorRow, factorRow, runs, ordered, sums + 2);
    }

    /// <summary>Four rows. What comes four rows later is asked for in time, in an order that the hardware does not foresee.</summary>
    private static void Sums512(byte* codes, nint codeRow, float* factors, nint factorRow, int runs, float* x, float* sums)
    {
        Vector512<float> table = Vector512.Create(Nf4.Codebook);
        Vector512<float> sum0 = Vector512<float>.Zero, sum1 = sum0, sum2 = sum0, sum3 = sum0;
        nint ahead = RowsTogether * codeRow;
        for (float* end = factors + runs; factors < end; factors += 2, codes += Run64, x += 2 * Run64)
        {
            Vector512<float> x0 = Vector512.Load(x), x1 = Vector512.Load(x + 16), x2 = Vector512.Load(x + 32), x3 = Vector512.Load(x + 48);
            Vector512<float> x4 = Vector512.Load(x + 64), x5 = Vector512.Load(x + 80), x6 = Vector512.Load(x + 96), x7 = Vector512.Load(x + 112);
            sum0 = Add512(table, codes, ahead, x0, x1, x2, x3, x4, x5, x6, x7, factors, sum0);
            sum1 = Add512(table, codes + codeRow, ahead, x0, x1, x2, x3, x4, x5, x6, x7, factors + factorRow, sum1);
            sum2 = Add512(table, codes + 2 * codeRow, ahead, x0, x1, x2, x3, x4, x5, x6, x7, factors + 2 * factorRow, sum2);
            sum3 = Add512(table, codes + 3 * codeRow, ahead, x0, x1, x2, x3, x4, x5, x6, x7, factors + 3 * factorRow, sum3);
        }

        sums[0] = Vector512.Sum(sum0);
        sums[1] = Vector512.Sum(sum1);
        sums[2] = Vector512.Sum(sum2);
        sums[3] = Vector512.Sum(sum3);
    }

    /// <summary>Two rows.</summary>
    private static void Sums256(byte* codes, nint codeRow, float* factors, nint factorRow, int runs, float* x, float* sums)
    {
        Vector256<float> low = Vector256.Create(Nf4.Codebook), high = Vector256.Create(Nf4.Codebook[8..]);
        Vector256<float> sum0 = Vector256<float>.Zero, sum1 = sum0;
        nint ahead = RowsTogether * codeRow;
        for (float* end = factors + runs; factors < end; factors++, codes += Run64 / 2, x += Run64)
        {
            Sse.Prefetch1(codes + ahead);
            Sse.Prefetch1(codes + codeRow + ahead);
            Vector256<uint> words0 = Vector256.Load((uint*)codes), words1 = Vector256.Load((uint*)(codes + codeRow));
            Vector256<float> run0 = Vector256<float>.Zero, run1 = run0;
            Add256(words0, words1, 0, 28, x, low, high, ref run0, ref run1);
            Add256(words0, words1, 4, 24, x + 8, low, high, ref run0, ref run1);
            Add256(words0, words1, 8, 20, x + 16, low, high, ref run0, ref run1);
            Add256(words0, words1, 12, 16, x + 24, low, high, ref run0, ref run1);
            Add256(words0, words1, 16, 12, x + 32, low, high, ref run0, ref run1);
            Add256(words0, words1, 20, 8, x + 40, low, high, ref run0, ref run1);
            Add256(words0, words1, 24, 4, x + 48, low, high, ref run0, ref run1);
            Add256(words0, words1, 28, 0, x + 56, low, high, ref run0, ref run1);
            sum0 = Fma.MultiplyAdd(run0, Vector256.Create(*factors), sum0);
            sum1 = Fma.MultiplyAdd(run1, Vector256.Create(factors[factorRow]), sum1);
        }

        sums[0] = Vector256.Sum(sum0);
        sums[1] = Vector256.Sum(sum1);
    }

    /// <summary>The sum with 128 codes' products added: two runs, of which each fills half of a vector of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Add512(
        Vector512<float> table, byte* codes, nint ahead, Vector512<float> x0, Vector512<float> x1, Vector512<float> x2, Vector512<float> x3,
        Vector512<float> x4, Vector512<float> x5, Vector512<float> x6, Vector512<float> x7, float* factors, Vector512<float> sum)
    {
        Sse.Prefetch1(codes + ahead);
        Vector512<uint> words = Vector512.Load((uint*)codes);
        Vector512<float> even = LookUp(table, words) * x0, odd = LookUp(table, words >>> 4) * x1;
        even = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 8), x2, even);
        odd = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 12), x3, odd);
        even = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 16), x4, even);
        odd = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 20), x5, odd);
        even = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 24), x6, even);
        odd = Avx512F.FusedMultiplyAdd(LookUp(table, words >>> 28), x7, odd);

        // A selection between two broadcasts: an insertion would take the port of the permutations, which bound the loop.
        Vector512<float> first = Vector512.Create(-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0).AsSingle();
        Vector512<float> both = Vector512.ConditionalSelect(first, Vector512.Create(factors[0]), Vector512.Create(factors[1]));
        return Avx512F.FusedMultiplyAdd(even + odd, both, sum);
    }

    /// <summary>The permutation looks at an index's lowest four bits only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> LookUp(Vector512<float> table, Vector512<uint> words) => Avx512F.PermuteVar16x32(table, words.AsInt32());

    /// <summary>The codes at one shift: the permutations look at an index's lowest three bits, the selection at bit 3 moved to the top.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add256(
        Vector256<uint> words0, Vector256<uint> words1, [ConstantExpected] byte right, [ConstantExpected] byte left, float* x,
        Vector256<float> low, Vector256<float> high, ref Vector256<float> run0, ref Vector256<float> run1)
    {
        Vector256<float> values = Vector256.Load(x);
        Vector256<int> index0 = Avx2.ShiftRightLogical(words0, right).AsInt32(), index1 = Avx2.ShiftRightLogical(words1, right).AsInt32();
        Vector256<float> select0 = Avx2.ShiftLeftLogical(words0, left).AsSingle(), select1 = Avx2.ShiftLeftLogical(words1, left).AsSingle();
        run0 = Fma.MultiplyAdd(Avx.BlendVariable(Avx2.PermuteVar8x32(low, index0), Avx2.PermuteVar8x32(high, index0), select0), values, run0);
        run1 = Fma.MultiplyAdd(Avx.BlendVariable(Avx2.PermuteVar8x32(low, index1), Avx2.PermuteVar8x32(high, index1), select1), values, run1);
    }
}
