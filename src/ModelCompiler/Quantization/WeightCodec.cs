using ModelCompiler.Planning;

namespace ModelCompiler.Quantization;

/// <summary>
/// How the elements of a quantized weight become codes and numbers again: (value of the code − zero) · step of the block's factor. Kernels ask it for
/// the values; where the codes and the factors lie is the <see cref="StorageLayout"/>'s.
/// </summary>
internal abstract unsafe class WeightCodec
{
    /// <summary>In the order of <see cref="DType"/>, from NF4 on.</summary>
    private static readonly WeightCodec[] s_all = [new Nf4Codec(), new Int8Codec(), new Int4Codec()];

    private readonly float[] _values;

    /// <param name="values">The value of each of 16 codes; empty where codes are signed bytes, which are their own values.</param>
    private protected WeightCodec(ReadOnlySpan<float> values)
    {
        _values = GC.AllocateUninitializedArray<float>(values.Length, pinned: true);
        values.CopyTo(_values);
    }

    /// <summary>The value of each of 16 codes; empty where codes are signed bytes.</summary>
    public ReadOnlySpan<float> Values => _values;

    /// <summary>Those for kernels; null where there are none.</summary>
    public float* Table => _values.Length == 0 ? null : (float*)System.Runtime.InteropServices.Marshal.UnsafeAddrOfPinnedArrayElement(_values, 0);

    /// <summary>The code after the last of an odd number.</summary>
    public virtual byte Filler => 0;

    /// <summary>The codec of a quantized type.</summary>
    public static WeightCodec Of(DType type) => s_all[type.Kind() - DType.NF4];

    /// <summary>Codes of a block.</summary>
    /// <param name="block">The block's weights.</param>
    /// <param name="absmax">Their greatest magnitude.</param>
    /// <param name="codes">Takes a code for each, one a byte.</param>
    /// <returns>The factor that is stored of the block, and its zero point.</returns>
    public abstract (float Factor, float Zero) Encode(ReadOnlySpan<float> block, float absmax, Span<byte> codes);

    /// <summary>What a value is multiplied by, of the block's factor.</summary>
    public virtual float Step(float factor) => factor;
}
