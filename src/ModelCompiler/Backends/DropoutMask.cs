using System.Runtime.CompilerServices;

namespace ModelCompiler.Backends;

/// <summary>
/// The dropout mask as a pure function of (key, row, column), the same on every backend, so that backward and recomputation
/// replay it and nothing is stored. A row's key is a 64-bit finalizer (Stafford's mix 13 of splitmix64) of key and row; a
/// column adds two rounds of a 32-bit finalizer, which vectorizes on machines without a 64-bit multiply.
/// </summary>
public static class DropoutMask
{
    internal const uint FirstMultiplier = 0x7FEB352Du;
    internal const uint SecondMultiplier = 0x846CA68Bu;

    /// <summary>The key of one row: the lower half is added to the column, the upper half joins between the rounds.</summary>
    public static ulong RowKey(ulong key, int row)
    {
        ulong z = key + 0x9E3779B97F4A7C15UL * ((ulong)(uint)row + 1);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>32 bits, uniform over the columns of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Bits(ulong rowKey, int column)
    {
        uint h = (uint)column + (uint)rowKey;
        h = (h ^ (h >> 16)) * FirstMultiplier;
        h ^= (uint)(rowKey >> 32);
        h = (h ^ (h >> 15)) * SecondMultiplier;
        return h ^ (h >> 16);
    }

    /// <summary>An element is dropped when its <see cref="Bits"/> are below this.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The rate is not in [0, 1).</exception>
    public static uint Threshold(float rate)
    {
        if (!(rate >= 0 && rate < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(rate), rate, "A dropout rate must be at least 0 and below 1.");
        }

        return (uint)(rate * 4294967296.0);
    }

    /// <summary>Whether the element at (row, column) survives.</summary>
    public static bool Keeps(ulong key, int row, int column, float rate) => Bits(RowKey(key, row), column) >= Threshold(rate);
}
