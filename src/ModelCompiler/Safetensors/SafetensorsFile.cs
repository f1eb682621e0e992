using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using ModelCompiler.Backends;
using ModelCompiler.Reading;

namespace ModelCompiler.Safetensors;

/// <summary>
/// A safetensors file: opening reads the header only, and rows are read and widened to float as they are asked for. It is not mapped into memory, where a
/// file that another program shortens meanwhile would end the process. F32, F16, BF16 and F64 can be read; integers are listed.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    /// <summary>Elements that are widened at a time; bytes are read straight to where they belong.</summary>
    private const int PieceElements = 1 << 16;

    private readonly SafeFileHandle _file;
    private readonly long _dataStart;
    private readonly Dictionary<string, TensorEntry> _byName;
    private readonly NonFinite _nonFinite;

    private SafetensorsFile(string path, NonFinite nonFinite)
    {
        Path = path;
        _nonFinite = nonFinite;
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        try
        {
            (SafetensorsHeader header, _dataStart) = ReadHeader();
            Metadata = header.Metadata;
            Tensors = header.Tensors;
            _byName = header.Tensors.ToDictionary(t => t.Name);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The header's metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Every tensor in the order of the data.</summary>
    public IReadOnlyList<TensorEntry> Tensors { get; }

    /// <summary>The tensor of this name.</summary>
    /// <exception cref="CheckpointException">There is none.</exception>
    public TensorEntry this[string name] =>
        _byName.TryGetValue(name, out TensorEntry? entry) ? entry : throw new CheckpointException(Path, $"has no tensor '{name}'");

    /// <summary>Opens a file and checks its header against its length.</summary>
    /// <exception cref="CheckpointException">The file is absent, unreadable, truncated, damaged or not a safetensors file.</exception>
    public static SafetensorsFile Open(string path, NonFinite nonFinite = NonFinite.Reject)
    {
        try
        {
            return new SafetensorsFile(path, nonFinite);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, $"cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Whether there is a tensor of this name.</summary>
    public bool Contains(string name) => _byName.ContainsKey(name);

    /// <summary>Reads a whole tensor.</summary>
    /// <returns>Its elements in row-major order.</returns>
    /// <exception cref="CheckpointException">It is absent, not floating point, not finite, or too large for one array.</exception>
    public float[] Read(string name)
    {
        TensorEntry entry = this[name];
        if (entry.Count > Array.MaxLength)
        {
            throw new CheckpointException(Path, $"tensor '{name}' has {entry.Count} elements, too many for one array; read it by rows");
        }

        var values = new float[entry.Count];
        Read(entry, 0, values);
        return values;
    }

    /// <summary>Reads a whole tensor.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="destination">Takes exactly its elements.</param>
    /// <exception cref="CheckpointException">It is absent, not floating point or not finite.</exception>
    /// <exception cref="ArgumentException">The destination has another length.</exception>
    public void Read(string name, Span<float> destination)
    {
        TensorEntry entry = this[name];
        CheckLength(entry, entry.Count, destination.Length);
        Read(entry, 0, destination);
    }

    /// <summary>Reads rows of a tensor seen as a matrix [<see cref="TensorEntry.Rows"/>, <see cref="TensorEntry.Columns"/>].</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="firstRow">The first row to read.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="destination">Takes exactly count · columns elements.</param>
    /// <exception cref="CheckpointException">The tensor is absent, not floating point or not finite.</exception>
    /// <exception cref="ArgumentException">The rows are not all there, or the destination has another length.</exception>
    public void ReadRows(string name, long firstRow, int count, Span<float> destination)
    {
        TensorEntry entry = this[name];
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstRow, entry.Rows - count);
        CheckLength(entry, count * entry.Columns, destination.Length);
        Read(entry, firstRow * entry.Columns, destination);
    }

    /// <summary>Reads rows of a tensor of codes as <see cref="ReadRows"/> reads weights; a code as the number it is.</summary>
    /// <exception cref="CheckpointException">The tensor is absent or not U8.</exception>
    internal void ReadCodeRows(string name, long firstRow, int count, Span<float> destination)
    {
        TensorEntry entry = this[name];
        if (entry.Type != SafetensorsType.U8)
        {
            throw new CheckpointException(Path, $"tensor '{name}' is {entry.Type.FormatName()}, codes must be U8; the file is damaged or of another version");
        }

        CheckLength(entry, count * entry.Columns, destination.Length);
        Copy(entry, firstRow * entry.Columns, destination);
    }

    /// <summary>Reads bytes of a tensor of any type as they are.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="firstByte">The first byte to read, counted from the tensor's.</param>
    /// <param name="destination">Takes as many as it holds.</param>
    /// <exception cref="CheckpointException">The tensor is absent.</exception>
    /// <exception cref="ArgumentException">The bytes are not all there.</exception>
    public void ReadBytes(string name, long firstByte, Span<byte> destination)
    {
        TensorEntry entry = this[name];
        ArgumentOutOfRangeException.ThrowIfNegative(firstByte);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstByte, entry.Bytes - destination.Length);
        ReadExactly(_dataStart + entry.Begin + firstByte, destination);
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private (SafetensorsHeader Header, long DataStart) ReadHeader()
    {
        long fileLength = RandomAccess.GetLength(_file);
        Span<byte> start = stackalloc byte[(int)Math.Min(fileLength, ForeignContent.Needed)];
        ReadExactly(0, start);
        if (fileLength < SafetensorsHeader.LengthBytes)
        {
            throw new CheckpointException(Path, $"is only {fileLength} bytes long; the file is truncated or not a safetensors file");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > (ulong)(fileLength - SafetensorsHeader.LengthBytes) || length > SafetensorsHeader.MaximumLength)
        {
            throw new CheckpointException(
                Path, ForeignContent.FindOrPage(start) ?? $"promises a header of {length} bytes in a file of {fileLength}; the file is truncated or not a safetensors file");
        }

        var json = new byte[length];
        ReadExactly(SafetensorsHeader.LengthBytes, json);
        long dataStart = SafetensorsHeader.LengthBytes + (long)length;
        return (SafetensorsHeader.Parse(json, Path, fileLength - dataStart), dataStart);
    }

    /// <summary>Reads bytes that were there when the file was opened.</summary>
    private void ReadExactly(long offset, Span<byte> destination)
    {
        ObjectDisposedException.ThrowIf(_file.IsClosed, this);
        try
        {
            while (destination.Length > 0)
            {
                int read = RandomAccess.Read(_file, destination, offset);
                if (read == 0)
                {
                    throw new CheckpointException(Path, $"ends at byte {RandomAccess.GetLength(_file)}, before byte {offset} that it had when it was opened; another program has truncated it: copy it again");
                }

                destination = destination[read..];
                offset += read;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(Path, $"cannot be read: {error.Message}", error);
        }
    }

    private static void CheckLength(TensorEntry entry, long needed, int given)
    {
        if (needed != given)
        {
            throw new ArgumentException($"tensor '{entry.Name}' {entry.ShapeText}: {needed} elements asked for, destination has {given}", nameof(given));
        }
    }

    private void Read(TensorEntry entry, long first, Span<float> destination)
    {
        if (!entry.Type.IsFloatingPoint())
        {
            throw new CheckpointException(
                Path, $"tensor '{entry.Name}' is {entry.Type.FormatName()}; weights must be F32, F16, BF16 or F64");
        }

        Copy(entry, first, destination);
        int bad = _nonFinite == NonFinite.Reject ? FloatConversion.FirstNonFinite(destination) : -1;
        if (bad >= 0)
        {
            throw new CheckpointException(
                Path, $"tensor '{entry.Name}' {entry.ShapeText} has {destination[bad]} at index {first + bad}; the weights are damaged or overflowed when they were saved");
        }
    }

    private void Copy(TensorEntry entry, long first, Span<float> destination)
    {
        int size = entry.Type.Size();
        long offset = _dataStart + entry.Begin + first * size;
        if (entry.Type == SafetensorsType.F32 && BitConverter.IsLittleEndian)
        {
            // A span's length is an int in bytes too, so a large read goes in pieces.
            for (int done = 0; done < destination.Length; done += PieceElements)
            {
                Span<float> part = destination.Slice(done, Math.Min(PieceElements, destination.Length - done));
                ReadExactly(offset + (long)done * size, MemoryMarshal.AsBytes(part));
            }

            return;
        }

        byte[] bytes = ArrayPool<byte>.Shared.Rent(Math.Min(PieceElements, destination.Length) * size);
        try
        {
            for (int done = 0; done < destination.Length; done += PieceElements)
            {
                Span<float> part = destination.Slice(done, Math.Min(PieceElements, destination.Length - done));
                Span<byte> source = bytes.AsSpan(0, part.Length * size);
                ReadExactly(offset + (long)done * size, source);
                FloatConversion.Widen(entry.Type, source, part);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
