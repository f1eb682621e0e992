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
    private const int ColumnsPerBlock = 64;
    private const int CodesPerWord = 8;

    /// <summary>Codes that share factors in the inner loop; a row has whole runs of them.</summary>
    private const int Run64 = 64;

    /// <summary>Bytes ahead of the codes in use that are asked for, to keep memory busy across the ends of rows.</summary>
    private const int Ahead = 4096;

    private MatrixProduct* product;
    private float* ordered;
    private int word;

    /// <summary>Whether the product has the shape, and the machine the instructions.</summary>
    public static bool Fits(in MatrixProduct product, long scratchBytes) =>
        Avx2.IsSupported && product.B.Type.Kind() == DType.NF4 && product.B.Transposed && product.LowRank == 0 && product.AStep == sizeof(float)
        && product.Rows <= MostRows && product.Count % Run64 == 0 && product.B.Codes.BlockShift >= 6 && (long)product.Count * sizeof(float) <= scratchBytes;

    /// <summary>Computes the product on the team; the first thread's scratch holds the ordered x.</summary>
    public static void Run(MatrixProduct* product, ThreadTeam team, byte* workspace)
    {
        bool wide = Avx512F.IsSupported && product->Count % (2 * Run64) == 0;
        var gemv = new Nf4Gemv { product = product, ordered = (float*)workspace, word = wide ? Vector512<uint>.Count : Vector256<uint>.Count };
        int blocks = (product->Columns + ColumnsPerBlock - 1) / ColumnsPerBlock;
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

    private static void Work(void* context, int block, int thread)
    {
        var gemv = (Nf4Gemv*)context;
        MatrixProduct* product = gemv->product;
        int end = Math.Min((block + 1) * ColumnsPerBlock, product->Columns);
        for (int n = block * ColumnsPerBlock; n < end; n += 2)
        {
            // An odd last row is its own partner, and stored once: start may be the result's memory.
            int second = Math.Min(n + 1, end - 1);
            (float sum0, float sum1) = gemv->word == Vector512<uint>.Count ? gemv->Sums512(n, second) : gemv->Sums256(n, second);
            Store(product, n, sum0);
            if (second > n)
            {
                Store(product, second, sum1);
            }
        }
    }

    private static void Store(MatrixProduct* product, int n, float sum)
    {
        float bias = product->Bias == null ? 0 : product->BiasAt(n);
        product->C[n] = product->Scale * (sum + bias) + (product->Start == null ? 0 : product->Start[n]);
    }

    private readonly (float First, float Second) Sums256(int row0, int row1)
    {
        ref QuantizedMatrix w = ref product->B.Codes;
        Vector256<float> low = Vector256.Create(Nf4.Codebook), high = Vector256.Create(Nf4.Codebook[8..]);
        long first0 = (long)row0 * w.Columns, first1 = (long)row1 * w.Columns;
        byte* codes0 = w.Codes + first0 / 2, codes1 = w.Codes + first1 / 2;
        Vector256<float> sum0 = Vector256<float>.Zero, sum1 = Vector256<float>.Zero;
        float* x = ordered;
        for (int k = 0; k < product->Count; k += Run64, x += Run64, codes0 += Run64 / 2, codes1 += Run64 / 2)
        {
            Sse.Prefetch0(codes0 + Ahead);
            Sse.Prefetch0(codes1 + Ahead);
            Vector256<uint> words0 = Vector256.Load((uint*)codes0), words1 = Vector256.Load((uint*)codes1);
            Vector256<float> run0 = Vector256<float>.Zero, run1 = Vector256<float>.Zero;
            Add256(words0, words1, 0, 28, x, low, high, ref run0, ref run1);
            Add256(words0, words1, 4, 24, x + 8, low, high, ref run0, ref run1);
            Add256(words0, words1, 8, 20, x + 16, low, high, ref run0, ref run1);
            Add256(words0, words1, 12, 16, x + 24, low, high, ref run0, ref run1);
            Add256(words0, words1, 16, 12, x + 32, low, high, ref run0, ref run1);
            Add256(words0, words1, 20, 8, x + 40, low, high, ref run0, ref run1);
            Add256(words0, words1, 24, 4, x + 48, low, high, ref run0, ref run1);
            Add256(words0, words1, 28, 0, x + 56, low, high, ref run0, ref run1);
            sum0 = Fma.MultiplyAdd(run0, Vector256.Create(w.Factor((first0 + k) >> w.BlockShift)), sum0);
            sum1 = Fma.MultiplyAdd(run1, Vector256.Create(w.Factor((first1 + k) >> w.BlockShift)), sum1);
        }

        return (Vector256.Sum(sum0), Vector256.Sum(sum1));
    }

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

    private readonly (float First, float Second) Sums512(int row0, int row1)
    {
        ref QuantizedMatrix w = ref product->B.Codes;
        Vector512<float> table = Vector512.Create(Nf4.Codebook);
        long first0 = (long)row0 * w.Columns, first1 = (long)row1 * w.Columns;
        byte* codes0 = w.Codes + first0 / 2, codes1 = w.Codes + first1 / 2;
        Vector512<float> sum0 = Vector512<float>.Zero, sum1 = Vector512<float>.Zero;
        float* x = ordered;
        for (int k = 0; k < product->Count; k += 2 * Run64, x += 2 * Run64, codes0 += Run64, codes1 += Run64)
        {
            Sse.Prefetch0(codes0 + Ahead);
            Sse.Prefetch0(codes1 + Ahead);
            Vector512<uint> words0 = Vector512.Load((uint*)codes0), words1 = Vector512.Load((uint*)codes1);
            Vector512<float> run0 = Vector512<float>.Zero, run1 = Vector512<float>.Zero;
            for (int j = 0; j < CodesPerWord; j++)
            {
                Vector512<float> values = Vector512.Load(x + j * Vector512<float>.Count);
                run0 = Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, words0.AsInt32()), values, run0);
                run1 = Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, words1.AsInt32()), values, run1);
                words0 = Vector512.ShiftRightLogical(words0, 4);
                words1 = Vector512.ShiftRightLogical(words1, 4);
            }

            sum0 = Avx512F.FusedMultiplyAdd(run0, Factors512(w, first0 + k), sum0);
            sum1 = Avx512F.FusedMultiplyAdd(run1, Factors512(w, first1 + k), sum1);
        }

        return (Vector512.Sum(sum0), Vector512.Sum(sum1));
    }

    /// <summary>The factors of two runs of 64 codes: half a vector of words each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Factors512(in QuantizedMatrix w, long first) => Vector512.Create(
        Vector256.Create(w.Factor(first >> w.BlockShift)), Vector256.Create(w.Factor((first + Run64) >> w.BlockShift)));
}
