using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using ModelCompiler.Quantization;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>Decodes 4-bit codes, such as NF4, through a table in registers; the element with the even index is the high half of its byte.</summary>
internal static unsafe class Nf4Codes
{
    /// <summary>destination[i] = factor · codebook[code of element first + i], all of one block.</summary>
    public static void Decode(float* codebook, byte* codes, long first, int count, float factor, float* destination)
    {
        codes += first >> 1;
        if ((first & 1) != 0)
        {
            *destination++ = factor * codebook[*codes++ & 15];
            count--;
        }

        int i = 0;
        if (Avx512F.IsSupported)
        {
            Vector512<float> table = Vector512.Load(codebook) * factor;
            for (; i + 16 <= count; i += 16, codes += 8)
            {
                Decode16(codes, table).Store(destination + i);
            }
        }

        if (Avx2.IsSupported)
        {
            Vector256<float> low = Vector256.Load(codebook) * factor, high = Vector256.Load(codebook + 8) * factor;
            for (; i + 8 <= count; i += 8, codes += 4)
            {
                Decode8(codes, low, high).Store(destination + i);
            }
        }

        for (; i < count; i++)
        {
            destination[i] = factor * codebook[(i & 1) == 0 ? *codes >> 4 : *codes++ & 15];
        }
    }

    /// <summary>The 16 elements of 8 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Decode16(byte* codes, Vector512<float> table)
    {
        Vector512<uint> words = Vector512.Create(Vector256.Create(*(uint*)codes), Vector256.Create(*(uint*)(codes + 4)));
        Vector512<uint> shifts = Vector512.Create(4u, 0, 12, 8, 20, 16, 28, 24, 4, 0, 12, 8, 20, 16, 28, 24);

        // The permutation looks at the lowest four bits only.
        return Avx512F.PermuteVar16x32(table, Avx512F.ShiftRightLogicalVariable(words, shifts).AsInt32());
    }

    /// <summary>The 8 elements of 4 bytes: looked up in both halves of the table, of which bit 3 chooses.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Decode8(byte* codes, Vector256<float> low, Vector256<float> high)
    {
        Vector256<uint> index = Avx2.ShiftRightLogicalVariable(Vector256.Create(*(uint*)codes), Vector256.Create(4u, 0, 12, 8, 20, 16, 28, 24));

        // The permutation looks at the lowest three bits only, the selection at the highest.
        Vector256<float> below = Avx2.PermuteVar8x32(low, index.AsInt32()), above = Avx2.PermuteVar8x32(high, index.AsInt32());
        return Avx.BlendVariable(below, above, Vector256.ShiftLeft(index, 28).AsSingle());
    }
}
