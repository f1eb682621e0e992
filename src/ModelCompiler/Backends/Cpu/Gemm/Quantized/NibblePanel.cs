using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// Decodes 4-bit codes into the panels [k][32] of a forward product, where a vector holds neighboring rows of the weight. Words of 8 codes
/// are transposed, which is an eighth of transposing what they stand for; at each shift a vector of words then has one column's
/// codes, one of each row.
/// </summary>
internal static unsafe class NibblePanel
{
    private const int CodesPerWord = 8;

    /// <summary>Rows of the weight in a vector, and words of a row that are transposed together.</summary>
    private static int Lanes => Avx512F.IsSupported ? Vector512<uint>.Count : Vector256<uint>.Count;

    /// <summary>Whether the codes have 4 bits, words and blocks do not straddle rows, and the machine has the instructions.</summary>
    public static bool Fits(in QuantizedMatrix w, int k, int count, int columns) =>
        w.Table != null && w.BlockShift >= 3 && w.Columns % (1 << w.BlockShift) == 0 && (k | count) % CodesPerWord == 0
        && (Avx512F.IsSupported || (Avx2.IsSupported && columns == Tile.Columns && count % (CodesPerWord * Vector256<uint>.Count) == 0));

    /// <summary>panel[i][j] = scale · w[n + j, k + i] for <paramref name="count"/> values of i and 32 of j, of which the first <paramref name="columns"/> exist.</summary>
    [SkipLocalsInit]
    public static void Pack(in QuantizedMatrix w, int k, int count, int n, int columns, float* panel, float scale)
    {
        float* words = stackalloc float[16 * 16];
        float* factors = stackalloc float[2 * 16];
        int depth = CodesPerWord * Lanes;
        var table = new ReadOnlySpan<float>(w.Table, 16);
        for (int first = 0; first < Tile.Columns; first += Lanes)
        {
            int rows = Math.Clamp(columns - first, 0, Lanes);
            long row = n + first;
            for (int i = 0; i < count; i += depth)
            {
                int wordCount = Math.Min(depth, count - i) / CodesPerWord;
                Transpose(w.Codes + (row * w.Columns + k + i) / 2, w.Columns / 2, rows, wordCount, words);
                for (int word = 0; word < wordCount;)
                {
                    // The words up to the end of a block share its factors.
                    int column = k + i + word * CodesPerWord;
                    int end = Math.Min(wordCount, word + (((column >> w.BlockShift) + 1 << w.BlockShift) - column) / CodesPerWord);
                    Factors(w, row, rows, column, scale, factors);
                    float* target = panel + (nint)(i + word * CodesPerWord) * Tile.Columns + first;
                    if (Lanes == Vector512<uint>.Count)
                    {
                        Decode512(table, (uint*)words + word * Lanes, end - word, factors, target);
                    }
                    else
                    {
                        Decode256(table, (uint*)words + word * Lanes, end - word, factors, target);
                    }

                    word = end;
                }
            }
        }
    }

    private static void Transpose(byte* codes, long rowBytes, int rows, int words, float* destination)
    {
        if (Lanes == Vector512<uint>.Count)
        {
            Packing.Transpose<Float32Element>(codes, rowBytes, rows, words, destination, Lanes, 1);
        }
        else
        {
            Packing.Transpose8<Float32Element>(codes, rowBytes, destination, Lanes, 1);
        }
    }

    /// <summary>Of each row its factor, then the value at which its table starts: an element is table · factor + start. Missing rows have 0.</summary>
    private static void Factors(in QuantizedMatrix w, long row, int rows, int column, float scale, float* factors)
    {
        float* starts = factors + Lanes;
        for (int j = 0; j < Lanes; j++)
        {
            long block = ((row + j) * w.Columns + column) >> w.BlockShift;
            factors[j] = j < rows ? scale * w.Factor(block) : 0;
            starts[j] = j < rows ? -w.Zero(block) * factors[j] : 0;
        }
    }

    private static void Decode512(ReadOnlySpan<float> values, uint* words, int count, float* factors, float* target)
    {
        Vector512<float> table = Vector512.Create(values), factor = Vector512.Load(factors), start = Vector512.Load(factors + 16);
        for (uint* end = words + count * 16; words < end; words += 16, target += CodesPerWord * Tile.Columns)
        {
            // The element with the even index is the high half of its byte. The permutation looks at the lowest four bits only.
            Vector512<uint> word = Vector512.Load(words);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 4).AsInt32()), factor, start).Store(target);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, word.AsInt32()), factor, start).Store(target + 1 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 12).AsInt32()), factor, start).Store(target + 2 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 8).AsInt32()), factor, start).Store(target + 3 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 20).AsInt32()), factor, start).Store(target + 4 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 16).AsInt32()), factor, start).Store(target + 5 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 28).AsInt32()), factor, start).Store(target + 6 * Tile.Columns);
            Avx512F.FusedMultiplyAdd(Avx512F.PermuteVar16x32(table, (word >>> 24).AsInt32()), factor, start).Store(target + 7 * Tile.Columns);
        }
    }

    private static void Decode256(ReadOnlySpan<float> values, uint* words, int count, float* factors, float* target)
    {
        Vector256<float> low = Vector256.Create(values), high = Vector256.Create(values[8..]);
        Vector256<float> factor = Vector256.Load(factors), start = Vector256.Load(factors + 8);
        for (uint* end = words + count * 8; words < end; words += 8, target += CodesPerWord * Tile.Columns)
        {
            Vector256<uint> word = Vector256.Load(words);
            LookUp(low, high, word, 4, 24, factor, start).Store(target);
            LookUp(low, high, word, 0, 28, factor, start).Store(target + 1 * Tile.Columns);
            LookUp(low, high, word, 12, 16, factor, start).Store(target + 2 * Tile.Columns);
            LookUp(low, high, word, 8, 20, factor, start).Store(target + 3 * Tile.Columns);
            LookUp(low, high, word, 20, 8, factor, start).Store(target + 4 * Tile.Columns);
            LookUp(low, high, word, 16, 12, factor, start).Store(target + 5 * Tile.Columns);
            LookUp(low, high, word, 28, 0, factor, start).Store(target + 6 * Tile.Columns);
            LookUp(low, high, word, 24, 4, factor, start).Store(target + 7 * Tile.Columns);
        }
    }

    /// <summary>The permutations look at an index's lowest three bits, the selection at bit 3 moved to the top.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> LookUp(
        Vector256<float> low, Vector256<float> high, Vector256<uint> word, [ConstantExpected] byte right, [ConstantExpected] byte left,
        Vector256<float> factor, Vector256<float> start)
    {
        Vector256<int> index = Avx2.ShiftRightLogical(word, right).AsInt32();
        Vector256<float> select = Avx2.ShiftLeftLogical(word, left).AsSingle();
        return Fma.MultiplyAdd(Avx.BlendVariable(Avx2.PermuteVar8x32(low, index), Avx2.PermuteVar8x32(high, index), select), factor, start);
    }
}
