using System.Runtime.Intrinsics;

namespace ModelCompiler.Backends.Cpu.Gemm;

/// <summary>Decodes integer codes.</summary>
internal static unsafe class IntegerCodes
{
    /// <summary>destination[i] = step · code of element first + i, signed bytes.</summary>
    public static void Decode8(byte* codes, long first, int count, float step, float* destination)
    {
        codes += first;
        int i = 0;
        for (; i + 8 <= count; i += 8)
        {
            Vector128<short> words = Vector128.WidenLower(Vector128.CreateScalar(*(long*)(codes + i)).AsSByte());
            (Vector256.ConvertToSingle(Vector256.Create(Vector128.WidenLower(words), Vector128.WidenUpper(words))) * step).Store(destination + i);
        }

        for (; i < count; i++)
        {
            destination[i] = step * (sbyte)codes[i];
        }
    }

    /// <summary>destination[i] = scale · (code of element first + i − zero), the element with the even index in the high half of its byte.</summary>
    public static void Decode4(byte* codes, long first, int count, float scale, float zero, float* destination)
    {
        // Sixteen values a block: a table of them takes one multiplication each, not one an element.
        float* table = stackalloc float[16];
        for (int code = 0; code < 16; code++)
        {
            table[code] = (code - zero) * scale;
        }

        for (int i = 0; i < count; i++)
        {
            byte pair = codes[(first + i) >> 1];
            destination[i] = table[((first + i) & 1) == 0 ? pair >> 4 : pair & 15];
        }
    }
}
