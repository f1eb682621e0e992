namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>
/// A few floats side by side, of a width fixed by the type, so that a kernel is written once and compiled for 512, 256 and 128 bits and
/// for the single elements of a row's end.
/// </summary>
/// <typeparam name="TSelf">The implementing type.</typeparam>
internal unsafe interface ILanes<TSelf>
    where TSelf : unmanaged, ILanes<TSelf>
{
    static abstract TSelf operator +(TSelf a, TSelf b);

    static abstract TSelf operator -(TSelf a, TSelf b);

    static abstract TSelf operator *(TSelf a, TSelf b);

    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>The bits both have.</summary>
    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>The same value in every lane.</summary>
    static abstract TSelf Of(float value);

    static abstract TSelf Load(float* address);

    /// <summary>Widens bfloat16.</summary>
    static abstract TSelf Load(ushort* address);

    /// <summary>a · b + c, rounded once where the machine can.</summary>
    static abstract TSelf MultiplyAdd(TSelf a, TSelf b, TSelf c);

    static abstract TSelf Max(TSelf a, TSelf b);

    static abstract TSelf Sqrt(TSelf x);

    static abstract TSelf Abs(TSelf x);

    static abstract TSelf Exp(TSelf x);

    /// <summary>The magnitude of the first with the sign of the second.</summary>
    static abstract TSelf CopySign(TSelf magnitude, TSelf sign);

    /// <summary>Where a is below b the third, elsewhere the fourth.</summary>
    static abstract TSelf WhereLess(TSelf a, TSelf b, TSelf then, TSelf defaultValue);

    /// <summary>All bits set where <see cref="DropoutMask"/> keeps the element, none elsewhere, for columns from the given one on.</summary>
    static abstract TSelf Kept(ulong rowKey, int column, uint threshold);

    void Store(float* address);

    /// <summary>Narrows to bfloat16, to the nearest, ties to even.</summary>
    void Store(ushort* address);

    float Sum();

    float Max();
}
