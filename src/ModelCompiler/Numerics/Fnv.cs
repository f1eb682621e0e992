using System.Runtime.InteropServices;

namespace ModelCompiler.Numerics;

/// <summary>FNV-1a, 64 bits: tells contents apart, the same on every machine.</summary>
internal static class Fnv
{
    /// <summary>Where a hash starts.</summary>
    public const ulong Start = 0xCBF2_9CE4_8422_2325;

    /// <summary>Adds values to a hash.</summary>
    public static ulong Add<T>(ulong hash, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        foreach (byte b in MemoryMarshal.AsBytes(values))
        {
            hash = (hash ^ b) * 0x100_0000_01B3;
        }

        return hash;
    }

    /// <summary>The hash of a text.</summary>
    public static ulong Hash(string text) => Add<char>(Start, text);
}
