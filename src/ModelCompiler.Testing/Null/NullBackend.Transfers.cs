using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Null;

public sealed partial class NullBackend
{
    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => Count(nameof(Write), [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => Count(nameof(Write), [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => Count(nameof(Write), [destination]);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => Count(nameof(Write), [destination]);

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<float> values)
    {
        Count(nameof(Read), [source]);
        values.Clear();
    }

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<double> values)
    {
        Count(nameof(Read), [source]);
        values.Clear();
    }

    /// <summary>Clears <paramref name="values"/>.</summary>
    public void Read(Tensor source, Span<byte> values)
    {
        Count(nameof(Read), [source]);
        values.Clear();
    }

    /// <summary>Gives 0.</summary>
    public double Read(Tensor scalar)
    {
        Count(nameof(Read), [scalar with { Rows = 1, Columns = 1 }]);
        return 0;
    }

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination) => CountPage(nameof(PageIn), source, destination);

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination) => CountPage(nameof(PageOut), destination, source);

    /// <inheritdoc/>
    public void AwaitPage(Tensor page) => Launched?.Invoke(nameof(AwaitPage), page);

    private void CountPage(string operation, long offset, Tensor page)
    {
        long bytes = page.End - page.Offset;
        if (offset < 0 || offset + bytes > PagedBytes)
        {
            throw new InvalidOperationException($"{operation}: {bytes} bytes at {offset} leave the paged memory of {PagedBytes} bytes.");
        }

        HighestPagedByte = Math.Max(HighestPagedByte, offset + bytes);
        Count(operation, [page]);
    }
}
