using System.Numerics;
using System.Runtime.InteropServices;
using ModelCompiler.Backends;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Transfers between host spans and the arena, and paged memory.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>Most bytes of rows that are converted at a time.</summary>
    private const long TransferBytes = 32 << 20;

    private readonly Dictionary<long, CudaEvent> _pageCopies = [];
    private PinnedMemory? _paged;
    private CudaEvent? _computed;

    /// <inheritdoc/>
    public long PagedBytes => _paged?.Bytes ?? 0;

    private PinnedMemory Paged => _paged ?? throw new InvalidOperationException("There is no paged memory: call AllocatePaged first.");

    /// <inheritdoc/>
    public void AllocatePaged(long bytes)
    {
        if (_paged is not null)
        {
            throw new InvalidOperationException("There is paged memory already.");
        }

        try
        {
            _paged = PinnedMemory.Allocate(_context, bytes);
        }
        catch (CudaException error) when (error.Error == "CUDA_ERROR_OUT_OF_MEMORY")
        {
            throw new OutOfMemoryException($"The system cannot pin {bytes} bytes: {error.Message}", error);
        }

        NativeMemory.Clear((void*)_paged.Address(0, bytes), (nuint)bytes);
    }

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination)
    {
        RequirePage(destination);
        _copies.CopyToDevice(Paged, source, Arena, destination.Offset, destination.End - destination.Offset);
        _copies.Record(CopyOf(destination));
    }

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination)
    {
        RequirePage(source);
        _computed ??= CudaEvent.Create(_context);
        _queue.Flush();
        _stream.Record(_computed);
        _copies.Wait(_computed);
        _copies.CopyToHost(Arena, source.Offset, Paged, destination, source.End - source.Offset);
        _copies.Record(CopyOf(source));
    }

    /// <inheritdoc/>
    public void AwaitPage(Tensor page)
    {
        if (_pageCopies.TryGetValue(page.Offset, out CudaEvent? copied))
        {
            _queue.Flush();
            _stream.Wait(copied);
        }
    }

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => WriteRows(destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => WriteRows(destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values)
    {
        if (destination.Type != DType.Int32 || destination.Stride != destination.Columns)
        {
            WriteRows(destination, values);
            return;
        }

        // The inputs of every step: nothing is converted and no memory is taken.
        Address(destination);
        HostTransfer.RequireCount(destination, values.Length);
        Stage(MemoryMarshal.AsBytes(values), destination.Offset);
    }

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => WriteRows(destination, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values) => ReadRows(source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<double> values) => ReadRows(source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<byte> values) => ReadRows(source, values);

    /// <inheritdoc/>
    public double Read(Tensor scalar)
    {
        Tensor first = scalar with { Rows = 1, Columns = 1, Stride = 1 };
        byte* bytes = stackalloc byte[sizeof(double)];
        Fetch(first.Offset, new Span<byte>(bytes, first.Type.Size()));
        double value = 0;
        HostTransfer.Read(bytes, first with { Offset = 0 }, new Span<double>(ref value));
        return value;
    }

    /// <inheritdoc/>
    public void Zero(Tensor x)
    {
        if (x.IsNone)
        {
            return;
        }

        bool whole = x.Stride == x.Columns;
        int size = x.Type.Size();
        _queue.Zero(Address(x), (long)x.Stride * size, whole ? x.End - x.Offset : x.Columns * size, whole ? 1 : x.Rows);
    }

    private static void RequirePage(Tensor page)
    {
        if (page.Stride != page.Columns)
        {
            throw new ArgumentException($"{page} has gaps between its rows; a page has none.");
        }
    }

    /// <summary>Copies to the arena, after what was called so far; returns before it is done.</summary>
    private void Stage(ReadOnlySpan<byte> bytes, long offset)
    {
        _queue.Flush();
        _staging.Write(bytes, Arena, offset);
    }

    /// <summary>Waits for what was called so far and copies from the arena.</summary>
    private void Fetch(long offset, Span<byte> bytes)
    {
        _queue.Flush();
        _stream.CopyToHost(Arena, offset, bytes);
    }

    /// <summary>The mark behind the last copy of a page.</summary>
    private CudaEvent CopyOf(Tensor page)
    {
        if (!_pageCopies.TryGetValue(page.Offset, out CudaEvent? copied))
        {
            _pageCopies.Add(page.Offset, copied = CudaEvent.Create(_context));
        }

        return copied;
    }

    private void DisposePages()
    {
        foreach (CudaEvent copied in _pageCopies.Values)
        {
            copied.Dispose();
        }

        _computed?.Dispose();
        _paged?.Dispose();
    }

    private void WriteRows<T>(Tensor destination, ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        Address(destination);
        HostTransfer.RequireCount(destination, values.Length);
        foreach (Tensor part in Parts(destination))
        {
            using NativeArena host = new(part.End - part.Offset, sizeof(double));
            Span<byte> bytes = new(host.Address, checked((int)host.Bytes));
            if (part.Stride != part.Columns && part.Rows > 1)
            {
                // What lies between the rows stays.
                Fetch(part.Offset, bytes);
            }

            int count = part.Type.IsQuantized() ? values.Length : checked((int)part.Count);
            HostTransfer.Write(host.Address, part with { Offset = 0 }, values[..count]);
            Stage(bytes, part.Offset);
            values = values[count..];
        }
    }

    private void ReadRows<T>(Tensor source, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        Address(source);
        HostTransfer.RequireCount(source, values.Length);
        foreach (Tensor part in Parts(source))
        {
            using NativeArena host = new(part.End - part.Offset, sizeof(double));
            Fetch(part.Offset, new Span<byte>(host.Address, checked((int)host.Bytes)));
            int count = part.Type.IsQuantized() ? values.Length : checked((int)part.Count);
            HostTransfer.Read(host.Address, part with { Offset = 0 }, values[..count]);
            values = values[count..];
        }
    }

    /// <summary>Some rows after the other; a quantized weight is whole.</summary>
    private static IEnumerable<Tensor> Parts(Tensor tensor)
    {
        if (tensor.Type.IsQuantized())
        {
            yield return tensor;
            yield break;
        }

        int rows = (int)Math.Clamp(TransferBytes / Math.Max(1, (long)tensor.Stride * tensor.Type.Size()), 1, Math.Max(tensor.Rows, 1));
        for (int row = 0; row < tensor.Rows; row += rows)
        {
            yield return tensor.Slice(row, Math.Min(rows, tensor.Rows - row));
        }
    }
}
