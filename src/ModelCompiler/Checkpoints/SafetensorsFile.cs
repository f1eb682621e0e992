using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;

namespace ModelCompiler.Checkpoints;

/// <summary>
/// A safetensors file, memory-mapped: opening reads the header only, and rows are widened to float as they are asked for.
/// F32, F16, BF16 and F64 can be read; integers are listed.
/// </summary>
public sealed unsafe class SafetensorsFile : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly Dictionary<string, TensorEntry> _byName;
    private readonly NonFinite _nonFinite;
    private byte* _data;

    private SafetensorsFile(string path, NonFinite nonFinite)
    {
        Path = path;
        _nonFinite = nonFinite;
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        (SafetensorsHeader header, long dataStart) = ReadHeader(stream, path);
        _file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _data = start + _view.PointerOffset + dataStart;
        Metadata = header.Metadata;
        Tensors = header.Tensors;
        _byName = header.Tensors.ToDictionary(t => t.Name);
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
    /// <exception cref="CheckpointException">The file is absent, unreadable, truncated, damaged or no safetensors file.</exception>
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
        ObjectDisposedException.ThrowIf(_data == null, this);
        TensorEntry entry = this[name];
        ArgumentOutOfRangeException.ThrowIfNegative(firstByte);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(firstByte, entry.Bytes - destination.Length);
        new ReadOnlySpan<byte>(_data + entry.Begin + firstByte, destination.Length).CopyTo(destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_data != null)
        {
            _data = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _file.Dispose();
        }
    }

    private static (SafetensorsHeader Header, long DataStart) ReadHeader(FileStream stream, string path)
    {
        Span<byte> lengthBytes = stackalloc byte[SafetensorsHeader.LengthBytes];
        if (stream.Length < SafetensorsHeader.LengthBytes)
        {
            throw new CheckpointException(path, $"is only {stream.Length} bytes long; the file is truncated or no safetensors file");
        }

        stream.ReadExactly(lengthBytes);
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(lengthBytes);
        if (length > (ulong)(stream.Length - SafetensorsHeader.LengthBytes) || length > SafetensorsHeader.MaximumLength)
        {
            throw new CheckpointException(
                path, $"promises a header of {length} bytes in a file of {stream.Length}; the file is truncated or no safetensors file");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        long dataStart = SafetensorsHeader.LengthBytes + (long)length;
        return (SafetensorsHeader.Parse(json, path, stream.Length - dataStart), dataStart);
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
        ObjectDisposedException.ThrowIf(_data == null, this);

        // A span's length is an int in bytes too, so a large read goes in pieces.
        const int piece = 1 << 24;
        int size = entry.Type.Size();
        for (int done = 0; done < destination.Length; done += piece)
        {
            int count = Math.Min(piece, destination.Length - done);
            FloatConversion.Widen(
                entry.Type, new ReadOnlySpan<byte>(_data + entry.Begin + (first + done) * size, count * size), destination.Slice(done, count));
        }
    }
}
