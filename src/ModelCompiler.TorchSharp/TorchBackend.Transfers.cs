using System.Numerics;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed unsafe partial class TorchBackend
{
    /// <summary>Rows go between host values and the device in pieces of about this many bytes.</summary>
    private const long StagingBytes = 64L << 20;

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => Send(destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => Send(destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => Send(destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => Send(destination, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values) => Receive(source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<double> values) => Receive(source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<byte> values) => Receive(source, values);

    /// <inheritdoc/>
    public double Read(Tensor scalar)
    {
        double value = 0;
        Receive(scalar with { Rows = 1, Columns = 1 }, new Span<double>(ref value));
        return value;
    }

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination)
    {
        using TorchTensor device = View(Page(destination));
        using TorchTensor host = Pages(source, destination);
        device.copy_(host, nonBlocking: true);
    }

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination)
    {
        using TorchTensor device = View(Page(source));
        using TorchTensor host = Pages(destination, source);
        host.copy_(device, nonBlocking: true);
    }

    /// <summary>Does nothing: copies and kernels run in one order, that of the default stream.</summary>
    public void AwaitPage(Tensor page)
    {
    }

    private void Send<T>(Tensor destination, ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        HostTransfer.RequireCount(destination, values.Length);
        foreach (Tensor piece in Pieces(destination))
        {
            using TorchTensor host = Staging(piece, out Tensor staged);
            ReadOnlySpan<T> part = values[..(int)piece.Count];
            fixed (byte* memory = host.bytes)
            {
                HostTransfer.Write(memory, staged, part);
            }

            using TorchTensor device = View(Plain(piece));
            device.copy_(host);
            values = values[part.Length..];
        }
    }

    private void Receive<T>(Tensor source, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        HostTransfer.RequireCount(source, values.Length);
        foreach (Tensor piece in Pieces(source))
        {
            using TorchTensor host = Staging(piece, out Tensor staged);
            using TorchTensor device = View(Plain(piece));
            host.copy_(device);
            Span<T> part = values[..(int)piece.Count];
            fixed (byte* memory = host.bytes)
            {
                HostTransfer.Read(memory, staged, part);
            }

            values = values[part.Length..];
        }
    }

    /// <summary>Host memory for a piece, and the piece's handle in it: its rows without gaps.</summary>
    private static TorchTensor Staging(Tensor piece, out Tensor staged)
    {
        Tensor plain = Plain(piece);
        staged = piece with { Offset = 0, Stride = piece.Columns };
        return torch.empty(plain.Rows, plain.Columns, dtype: ScalarTypeOf(plain.Type), device: torch.CPU);
    }

    /// <summary>Rows in groups small enough to stage; a quantized weight is whole or nothing.</summary>
    private static IEnumerable<Tensor> Pieces(Tensor tensor)
    {
        int rows = tensor.Type.IsQuantized() ? tensor.Rows : (int)Math.Clamp(StagingBytes / ((long)tensor.Columns * tensor.Type.Size()), 1, tensor.Rows);
        for (int first = 0; first < tensor.Rows; first += rows)
        {
            yield return rows == tensor.Rows ? tensor : tensor.Slice(first, Math.Min(rows, tensor.Rows - first));
        }
    }

    /// <summary>A handle whose elements torch has a type for.</summary>
    private static Tensor Plain(Tensor tensor) => tensor.Type.IsQuantized() ? tensor.Bytes : tensor;

    /// <summary>All bytes of a page, as one row.</summary>
    private static Tensor Page(Tensor tensor)
    {
        int bytes = checked((int)(tensor.End - tensor.Offset));
        return tensor.Stride == tensor.Columns
            ? new Tensor(tensor.Offset, 1, bytes, bytes, DType.UInt8)
            : throw new ArgumentException($"{tensor} has gaps between its rows; a page has none.");
    }

    private TorchTensor Pages(long offset, Tensor page)
    {
        TorchTensor pages = _pages ?? throw new InvalidOperationException("There is no paged memory: call AllocatePaged first.");
        long bytes = page.End - page.Offset;
        return offset >= 0 && offset + bytes <= PagedBytes
            ? pages.as_strided([1, bytes], [bytes, 1], offset)
            : throw new ArgumentException($"{bytes} bytes at {offset} are not inside the {PagedBytes} bytes of paged memory.");
    }
}
