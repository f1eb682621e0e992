using System.Buffers.Binary;
using System.Text.Json;
using ModelCompiler.Files;
using ModelCompiler.Tensors;

namespace ModelCompiler.Safetensors;

/// <summary>
/// Writes safetensors files as the reference writer does: wider element types first, then by name; the header is padded so that
/// the data starts at a multiple of 8 bytes.
/// </summary>
public static class SafetensorsWriter
{
    private const int PieceElements = 1 << 16;

    /// <summary>Writes a file whole or not at all.</summary>
    /// <param name="path">The target.</param>
    /// <param name="tensors">What to write; each is asked for its elements once, in order.</param>
    /// <param name="metadata">Extra metadata; "format": "pt" is always there.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    /// <exception cref="CheckpointException">A number is too large for the type that it is to be written in.</exception>
    /// <exception cref="ArgumentException">A name occurs twice, or the type of a tensor that is not given as bytes is none of F32, F16, BF16 and U8.</exception>
    public static void Write(string path, IEnumerable<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorSource[] ordered = [.. tensors.OrderByDescending(t => t.Type.Size()).ThenBy(t => t.Name, StringComparer.Ordinal)];
        foreach (TensorSource tensor in ordered)
        {
            if (tensor.Bytes is null && tensor.Type is not (SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.U8))
            {
                throw new ArgumentException($"tensor '{tensor.Name}' is {tensor.Type}; only F32, F16, BF16 and U8 are written", nameof(tensors));
            }
        }

        if (ordered.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"tensor '{twice.Key}' is given twice", nameof(tensors));
        }

        byte[] header = Header(ordered, metadata ?? new Dictionary<string, string>());
        long data = ordered.Sum(t => t.Count * t.Type.Size());
        AtomicFile.Write(path, stream => WriteTo(stream, path, header, ordered), SafetensorsHeader.LengthBytes + header.Length + data);
    }

    private static void WriteTo(Stream stream, string path, byte[] header, TensorSource[] ordered)
    {
        Span<byte> length = stackalloc byte[SafetensorsHeader.LengthBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        TensorSource[] floats = [.. ordered.Where(t => t.Bytes is null)];
        var values = new float[floats.Length == 0 ? 0 : floats.Max(t => RowsAtOnce(t) * t.Columns)];
        var bytes = new byte[values.Length * sizeof(float)];
        foreach (TensorSource tensor in ordered)
        {
            Garbage.Limit();
            if (tensor.Bytes is { } fill)
            {
                WriteBytes(stream, tensor.Count * tensor.Type.Size(), fill);
            }
            else
            {
                WriteData(stream, path, tensor, values.AsSpan(0, (int)(RowsAtOnce(tensor) * tensor.Columns)), bytes);
            }
        }
    }

    private static void WriteBytes(Stream stream, long length, FillBytes fill)
    {
        var piece = new byte[Math.Min(length, PieceElements * sizeof(float))];
        for (long done = 0; done < length; done += piece.Length)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min(piece.Length, length - done));
            fill(done, part);
            stream.Write(part);
        }
    }

    /// <summary>Whole rows of about 65,536 elements, at least one; no more than there are.</summary>
    private static long RowsAtOnce(TensorSource tensor) =>
        Math.Min(tensor.Count / Math.Max(1, tensor.Columns), Math.Max(1, PieceElements / Math.Max(1, tensor.Columns)));

    private static void WriteData(Stream stream, string path, TensorSource tensor, Span<float> values, byte[] bytes)
    {
        for (long done = 0; done < tensor.Count; done += values.Length)
        {
            int count = (int)Math.Min(values.Length, tensor.Count - done);
            Span<float> part = values[..count];
            tensor.Fill(done, part);
            if (FloatConversion.FirstTooLarge(tensor.Type, part) is var large and >= 0)
            {
                throw new CheckpointException(
                    path, $"tensor '{tensor.Name}' has {part[large]} at index {done + large}, which {tensor.Type.FormatName()} cannot hold; nothing was written: choose F32 (--type F32)");
            }

            FloatConversion.Narrow(tensor.Type, part, bytes);
            stream.Write(bytes, 0, count * tensor.Type.Size());
        }
    }

    private static byte[] Header(TensorSource[] ordered, IReadOnlyDictionary<string, string> metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            foreach ((string key, string value) in metadata.Where(m => m.Key != "format").OrderBy(m => m.Key, StringComparer.Ordinal))
            {
                json.WriteString(key, value);
            }

            json.WriteEndObject();
            long begin = 0;
            foreach (TensorSource tensor in ordered)
            {
                long end = begin + tensor.Count * tensor.Type.Size();
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.FormatName());
                WriteNumbers(json, "shape", tensor.Shape);
                WriteNumbers(json, "data_offsets", [begin, end]);
                json.WriteEndObject();
                begin = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IReadOnlyList<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values)
        {
            json.WriteNumberValue(value);
        }

        json.WriteEndArray();
    }
}
