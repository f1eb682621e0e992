using System.Runtime.CompilerServices;
using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Null;

public sealed partial class NullBackend
{
    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => Record(0, [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => Record(0, [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => Record(0, [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => Record(0, [destination]);

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<float> values)
    {
        Record(0, [source]);
        values.Clear();
    }

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<double> values)
    {
        Record(0, [source]);
        values.Clear();
    }

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<byte> values)
    {
        Record(0, [source]);
        values.Clear();
    }

    /// <summary>Gives 0.</summary>
    public double Read(Tensor scalar)
    {
        Record(0, [scalar with { Rows = 1, Columns = 1 }]);
        return 0;
    }

    /// <inheritdoc/>
    public void Zero(Tensor x)
    {
        if (!x.IsNone)
        {
            Record(0, [x]);
        }
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        if (!destination.IsNone)
        {
            Record(0, [source, destination]);
        }
    }

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination) => RecordPage(source, destination);

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination) => RecordPage(destination, source);

    /// <inheritdoc/>
    public void AwaitPage(Tensor page) => Launched?.Invoke(nameof(AwaitPage), page);

    private void RecordPage(long offset, Tensor page, [CallerMemberName] string operation = "")
    {
        long bytes = page.End - page.Offset;
        if (offset < 0 || offset + bytes > PagedBytes)
        {
            throw new InvalidOperationException($"{operation}: {bytes} bytes at {offset} leave the paged memory of {PagedBytes} bytes.");
        }

        HighestPagedByte = Math.Max(HighestPagedByte, offset + bytes);
        Record(0, [page], operation: operation);
    }
}
