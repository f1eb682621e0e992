namespace ModelCompiler.Numerics;

/// <summary>SplitMix64 (Steele, Lea and Flood 2014): the same numbers on every machine and every .NET.</summary>
internal struct SplitMix
{
    private const ulong Increment = 0x9E37_79B9_7F4A_7C15;

    private ulong _state;

    /// <summary>One stream of many for a seed.</summary>
    public SplitMix(ulong seed, ulong stream)
    {
        _state = Mix(seed + Increment) ^ Mix(stream * Increment + 1);
    }

    /// <summary>One stream of many for a seed, by name; the runtime's own hash of a text differs between processes.</summary>
    public SplitMix(ulong seed, string stream)
        : this(seed, Fnv.Hash(stream))
    {
    }

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        _state += Increment;
        return Mix(_state);
    }

    /// <summary>A number below <paramref name="bound"/>; its bias of 2^-32 at most is of no matter for shuffling.</summary>
    public ulong Below(uint bound) => ((Next() >> 32) * bound) >> 32;

    /// <summary>A number from 0 to below 1, in steps of 2^-53.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>A number of the normal distribution with mean 0 and deviation 1 (Box and Muller 1958).</summary>
    public double Normal()
    {
        double radius = Math.Sqrt(-2 * Math.Log(1 - Uniform()));
        return radius * Math.Cos(2 * Math.PI * Uniform());
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
