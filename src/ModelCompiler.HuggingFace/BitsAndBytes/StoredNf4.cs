using System.Buffers;
using System.Runtime.InteropServices;
using ModelCompiler.Backends;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;

namespace ModelCompiler.HuggingFace.BitsAndBytes;

/// <summary>
/// A weight that bitsandbytes quantized to NF4, as a checkpoint holds it: codes under the weight's own name and beside it .absmax, .quant_map,
/// the state of <see cref="Nf4State"/> and, double quantized, .nested_absmax and .nested_quant_map.
/// </summary>
internal sealed class StoredNf4
{
    /// <summary>bitsandbytes computes the 8-bit map in fp32 by an order that depends on the machine: values differ in their last bit.</summary>
    private const float MapTolerance = 1e-6f;

    private readonly Checkpoint _checkpoint;
    private readonly Nf4State _state;
    private readonly StorageLayout _layout;

    private StoredNf4(Checkpoint checkpoint, string name, Nf4State state)
    {
        (_checkpoint, Name, _state) = (checkpoint, name, state);
        _layout = StorageLayout.Of(Type, state.Rows, state.Columns);
        CheckParts();
    }

    /// <summary>The weight's name.</summary>
    public string Name { get; }

    /// <summary>Rows and columns.</summary>
    public IReadOnlyList<long> Shape => [_state.Rows, _state.Columns];

    /// <summary>The format that the file has it in.</summary>
    public WeightFormat Format => WeightFormat.Of(Type);

    /// <summary>The type of the weight before.</summary>
    public SafetensorsType StandsFor => _state.StoredType switch
    {
        "bfloat16" => SafetensorsType.BF16,
        "float16" => SafetensorsType.F16,
        _ => SafetensorsType.F32,
    };

    /// <summary>The element type of that format.</summary>
    public DType Type => DTypeExtensions.Quantized(DType.NF4, _state.BlockSize, _state.NestedOffset is not null);

    /// <summary>The weight of this name, if it is quantized; else null.</summary>
    /// <exception cref="CheckpointException">It is quantized in a way that cannot be loaded, or parts are missing, of a wrong length or another map's.</exception>
    public static StoredNf4? Find(Checkpoint checkpoint, string name)
    {
        if (!checkpoint.Contains(name))
        {
            return null;
        }

        if (checkpoint.Contains(name + Nf4State.Suffix))
        {
            var json = new byte[Math.Min(checkpoint.Entry(name + Nf4State.Suffix).Bytes, Nf4State.MaximumBytes)];
            checkpoint.ReadBytes(name + Nf4State.Suffix, 0, json);
            return new StoredNf4(checkpoint, name, Nf4State.Parse(json, checkpoint.Path, name));
        }

        RefuseOtherQuantizations(checkpoint, name);
        return null;
    }

    /// <summary>Whether the rows from one on are whole blocks with factors of their own; factors that are quantized too share those of all rows.</summary>
    public bool CanSplit(int firstRow) => _state.NestedOffset is null && (long)firstRow * _state.Columns % _state.BlockSize == 0;

    /// <summary>What rows of it decode to, row after row.</summary>
    /// <param name="firstRow">The first row.</param>
    /// <param name="rows">How many.</param>
    public float[] Decode(int firstRow, int rows)
    {
        var packed = new byte[_layout.Bytes];
        ReadPacked(packed);
        var values = new float[(long)rows * _state.Columns];
        Dequantization.Read(Type, _state.Rows, _state.Columns, packed, (long)firstRow * _state.Columns, values);
        return values;
    }

    /// <summary>
    /// Fills a tensor with rows of it: one of the same format with the bytes as they are, one of a floating-point type with what they decode to.
    /// </summary>
    /// <param name="kernels">The backend.</param>
    /// <param name="destination">The tensor.</param>
    /// <param name="firstRow">The row that is its first; of the same format not row 0 only where <see cref="CanSplit"/> says so.</param>
    public void Load(IBackend kernels, Tensor destination, int firstRow)
    {
        byte[] rented = ArrayPool<byte>.Shared.Rent((int)_layout.Bytes);
        Memory<byte> packed = rented.AsMemory(0, (int)_layout.Bytes);
        ReadPacked(packed.Span);
        if (!destination.Type.IsQuantized())
        {
            RowBlocks.Load(kernels, destination, (row, _, values) =>
                Dequantization.Read(Type, _state.Rows, _state.Columns, packed.Span, (firstRow + row) * _state.Columns, values));
        }
        else if (destination.Rows == _state.Rows)
        {
            kernels.Write(destination.Bytes, packed.Span);
        }
        else
        {
            StorageLayout part = StorageLayout.Of(Type, destination.Rows, destination.Columns);
            long firstBlock = (long)firstRow * _state.Columns / _state.BlockSize;
            var bytes = new byte[part.Bytes];
            packed.Span.Slice((int)(firstBlock * _state.BlockSize / 2), (int)part.CodeBytes).CopyTo(bytes);
            packed.Span.Slice((int)(_layout.Factors + 4 * firstBlock), (int)(4 * part.Blocks)).CopyTo(bytes.AsSpan((int)part.Factors));
            kernels.Write(destination.Bytes, bytes);
        }

        ArrayPool<byte>.Shared.Return(rented);
    }

    /// <summary>Brings the parts into the order of <see cref="StorageLayout"/>.</summary>
    private void ReadPacked(Span<byte> packed)
    {
        packed.Clear();
        _checkpoint.ReadBytes(Name, 0, packed[..(int)_layout.CodeBytes]);
        if (_state.NestedOffset is { } mean)
        {
            _checkpoint.ReadBytes(Name + Nf4Sources.Absmax, 0, packed.Slice((int)_layout.Factors, (int)_layout.Blocks));
            _checkpoint.Read(Name + Nf4Sources.NestedAbsmax, Floats(packed, _layout.Nested, _layout.NestedBlocks));
            MemoryMarshal.Write(packed[(int)_layout.Mean..], mean);
        }
        else
        {
            _checkpoint.Read(Name + Nf4Sources.Absmax, Floats(packed, _layout.Factors, _layout.Blocks));
        }
    }

    private static Span<float> Floats(Span<byte> packed, long part, long count) => MemoryMarshal.Cast<byte, float>(packed.Slice((int)part, (int)(4 * count)));

    private void CheckParts()
    {
        if (_checkpoint.Entry(Name).Bytes != _layout.CodeBytes)
        {
            throw Error(Name, $"has {_checkpoint.Entry(Name).Bytes} bytes of codes, its shape {TensorEntry.Format(Shape)} needs {_layout.CodeBytes}");
        }

        CheckMap(Nf4Sources.QuantMap, Nf4.Codebook, tolerance: 0);
        if (_state.NestedOffset is null)
        {
            CheckPart(Nf4Sources.Absmax, SafetensorsType.F32, _layout.Blocks);
            return;
        }

        CheckPart(Nf4Sources.Absmax, SafetensorsType.U8, _layout.Blocks);
        CheckPart(Nf4Sources.NestedAbsmax, SafetensorsType.F32, _layout.NestedBlocks);
        CheckMap(Nf4Sources.NestedQuantMap, DynamicMap.Signed.Values, MapTolerance);
    }

    private void CheckPart(string suffix, SafetensorsType type, long count)
    {
        if (!_checkpoint.Contains(Name + suffix))
        {
            throw Error(Name, $"is quantized as {Format}, but '{Name + suffix}' is missing");
        }

        TensorEntry entry = _checkpoint.Entry(Name + suffix);
        if (entry.Type != type || entry.Count != count)
        {
            throw Error(Name + suffix, $"has {entry.Count} elements of {entry.Type.FormatName()}; a weight {TensorEntry.Format(Shape)} as {Format} needs {count} of {type.FormatName()}");
        }
    }

    private void CheckMap(string suffix, ReadOnlySpan<float> expected, float tolerance)
    {
        CheckPart(suffix, SafetensorsType.F32, expected.Length);
        float[] values = _checkpoint.Read(Name + suffix);
        for (int code = 0; code < values.Length; code++)
        {
            if (MathF.Abs(values[code] - expected[code]) > tolerance * MathF.Abs(expected[code]))
            {
                throw Error(Name + suffix, FormattableString.Invariant($"has {values[code]} for code {code} where bitsandbytes has {expected[code]}"));
            }
        }
    }

    private CheckpointException Error(string tensor, string problem) =>
        new(_checkpoint.Path, $"tensor '{tensor}' {problem}; the file is damaged or truncated");

    private static void RefuseOtherQuantizations(Checkpoint checkpoint, string name)
    {
        if (checkpoint.Names.FirstOrDefault(n => n.StartsWith(name + Nf4State.Prefix, StringComparison.Ordinal)) is { } other)
        {
            throw new CheckpointException(
                checkpoint.Path, $"tensor '{name}' has the quantization '{other[(name.Length + Nf4State.Prefix.Length)..]}', only bitsandbytes__nf4 can be loaded; take the unquantized checkpoint");
        }

        if (checkpoint.Contains(name + Nf4Sources.Absmax) || !checkpoint.Entry(name).Type.IsFloatingPoint())
        {
            throw new CheckpointException(
                checkpoint.Path, $"tensor '{name}' is {checkpoint.Entry(name).Type.FormatName()}, but '{name + Nf4State.Suffix}', which says how it is quantized, is missing; the file is truncated, or quantized in a way that cannot be loaded: take the unquantized checkpoint");
        }
    }
}
