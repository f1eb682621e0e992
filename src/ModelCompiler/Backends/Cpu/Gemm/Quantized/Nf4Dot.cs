using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>
/// Sums of rows of NF4 codes with one x in <see cref="FixedPoint"/>. A unit is a vector of bytes, 128 or 64 codes. x comes in the order in which a
/// unit is decoded; either order keeps 32 neighboring elements in one 128-bit lane, so that a lane has one factor.
/// </summary>
internal static unsafe class Nf4Dot
{
    /// <summary>Codes of a unit of 512 bits.</summary>
    public const int Unit512 = 128;

    /// <summary>Codes of a unit of 256 bits.</summary>
    public const int Unit256 = 64;

    /// <summary>
    /// Bytes between a unit and what is asked for beside it: the hardware's own foresight is lost where nothing is read for the time that a row's
    /// factors take. Much further ahead asks too early.
    /// </summary>
    private const int Ahead = 256;

    /// <summary>
    /// Σ_i factors[i / 64] · codebook[i] · x[i], in units of the codebook's 1 / <see cref="FixedPoint.One"/>, is the sum of the eight values that it writes.
    /// </summary>
    public static void Row512(byte* codes, float* factors, short* x, int count, float* sums)
    {
        Vector512<short> table = Vector512.Create(FixedPoint.Codebook);
        Vector512<float> first = Vector512.Create(-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0).AsSingle();
        Vector512<float> sum = Vector512<float>.Zero;
        for (short* end = x + count; x < end; x += Unit512, codes += Unit512 / 2, factors += 2)
        {
            Sse.Prefetch0(codes + Ahead);
            Vector512<ushort> words = Vector512.Load((ushort*)codes);
            Vector512<int> even = Products(table, words, x) + Products(table, words >>> 8, x + 64);
            Vector512<int> odd = Products(table, words >>> 4, x + 32) + Products(table, words >>> 12, x + 96);

            // A selection between two broadcasts: an insertion would take the port of the look-ups.
            Vector512<float> factor = Avx512F.TernaryLogic(first, Vector512.Create(factors[0]), Vector512.Create(factors[1]), 0xCA);
            sum = Avx512F.FusedMultiplyAdd(Avx512F.ConvertToVector512Single(even + odd), factor, sum);
        }

        (sum.GetLower() + sum.GetUpper()).Store(sums);
    }

    /// <summary>The same in units of 256 bits, with a factor for every 64 elements, or if <paramref name="two"/> for every 32.</summary>
    public static void Row256(byte* codes, float* factors, bool two, short* x, int count, float* sums)
    {
        Vector256<short> table = Vector256.Create(FixedPoint.Codebook);
        Vector256<byte> lower = Vector256.Narrow(table.AsUInt16() & Vector256.Create((ushort)255), table.AsUInt16() & Vector256.Create((ushort)255));
        Vector256<byte> upper = Vector256.Narrow(table.AsUInt16() >>> 8, table.AsUInt16() >>> 8);
        Vector256<byte> mask = Vector256.Create((byte)15);
        Vector256<int> halves = Vector256.Create(0, 0, 0, 0, 1, 1, 1, 1);
        Vector256<float> sum = Vector256<float>.Zero;
        nint step = two ? 2 : 1;
        for (short* end = x + count; x < end; x += Unit256, codes += Unit256 / 2, factors += step)
        {
            Vector256<byte> bytes = Vector256.Load(codes);
            Vector256<int> odd = Products(lower, upper, bytes & mask, x);
            Vector256<int> even = Products(lower, upper, (bytes.AsUInt16() >>> 4).AsByte() & mask, x + 32);
            Vector256<float> factor = two ? Avx.PermuteVar(Vector256.Create(*(double*)factors).AsSingle(), halves) : Vector256.Create(*factors);
            sum = Fma.MultiplyAdd(Avx.ConvertToVector256Single(even + odd), factor, sum);
        }

        sum.Store(sums);
    }

    /// <summary>x of a unit of 512 bits in its order: word d's code at shift 4 j is element 4 d + (j xor 1), since the even element of a byte is the high half.</summary>
    public static void Order512(short* x, short* ordered)
    {
        for (int i = 0; i < 4; i++, x += 32, ordered += 8)
        {
            Vector512<ulong> four = Vector512.Load((ulong*)x);
            Avx512F.ConvertToVector128Int16(four >>> 16).Store(ordered);
            Avx512F.ConvertToVector128Int16(four).Store(ordered + 32);
            Avx512F.ConvertToVector128Int16(four >>> 48).Store(ordered + 64);
            Avx512F.ConvertToVector128Int16(four >>> 32).Store(ordered + 96);
        }
    }

    /// <summary>x of a unit of 256 bits in its order: of each 32 elements the odd ones in the low halves of a lane's bytes, then the even ones; eight words at a time.</summary>
    public static void Order256(short* x, short* ordered)
    {
        for (int half = 0; half < 2; half++, x += 16, ordered += 16)
        {
            Vector256<int> first = Vector256.Load((int*)x), second = Vector256.Load((int*)(x + 32));
            Pack(first >> 16, second >> 16).Store(ordered);
            Pack(first << 16 >> 16, second << 16 >> 16).Store(ordered + 32);
        }
    }

    /// <summary>Eight words, then eight.</summary>
    private static Vector256<short> Pack(Vector256<int> first, Vector256<int> second) =>
        Avx2.Permute4x64(Avx2.PackSignedSaturate(first, second).AsInt64(), 0b11_01_10_00).AsInt16();

    /// <summary>The lowest code of each word times an x: the look-up takes five bits, of which the table ignores the highest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<int> Products(Vector512<short> table, Vector512<ushort> words, short* x) =>
        Avx512BW.MultiplyAddAdjacent(Avx512BW.PermuteVar32x16(table, words.AsInt16()), Vector512.Load(x));

    /// <summary>Codes, one a byte, looked up in both bytes of the table, joined to words, times x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Products(Vector256<byte> lower, Vector256<byte> upper, Vector256<byte> codes, short* x)
    {
        Vector256<byte> low = Avx2.Shuffle(lower, codes), high = Avx2.Shuffle(upper, codes);
        return Avx2.MultiplyAddAdjacent(Avx2.UnpackLow(low, high).AsInt16(), Vector256.Load(x))
            + Avx2.MultiplyAddAdjacent(Avx2.UnpackHigh(low, high).AsInt16(), Vector256.Load(x + 16));
    }
}
