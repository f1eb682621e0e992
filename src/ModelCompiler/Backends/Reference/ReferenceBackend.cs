using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Reference;

/// <summary>
/// The oracle: every operation as plain loops in double precision on one thread, written after its formula. Kernels of the
/// other backends are compared with it and it is compared with finite differences. Weights may also be
/// <see cref="DType.Float32"/> or <see cref="DType.BFloat16"/>, those of linear operations quantised; everything else is <see cref="DType.Float64"/>.
/// </summary>
public sealed unsafe partial class ReferenceBackend : IBackend
{
    private readonly PagedMemory paged = new();
    private NativeArena? arena;
    private byte* memory;
    private Step step = new(1, 1);

    /// <inheritdoc/>
    public BackendProfile Profile => BackendProfile.Reference;

    /// <inheritdoc/>
    public long AllocatedBytes { get; private set; }

    private NativeArena Arena => arena ?? throw new InvalidOperationException("The backend has no memory yet: call Allocate first.");

    /// <inheritdoc/>
    public void Allocate(long bytes)
    {
        if (arena != null)
        {
            throw new InvalidOperationException("The arena exists already.");
        }

        arena = new NativeArena(bytes, Profile.Alignment);
        memory = arena.Address;
        AllocatedBytes = bytes;
    }

    /// <summary>Does nothing: no operation here needs scratch memory.</summary>
    public void UseWorkspace(long offset, long bytes)
    {
    }

    /// <inheritdoc/>
    public long PagedBytes => paged.Bytes;

    /// <inheritdoc/>
    public void AllocatePaged(long bytes) => paged.Allocate(bytes, Profile.Alignment);

    /// <inheritdoc/>
    public void PageIn(long source, Tensor destination) => paged.In(source, Arena, destination);

    /// <inheritdoc/>
    public void PageOut(Tensor source, long destination) => paged.Out(Arena, source, destination);

    /// <summary>Does nothing: copies are done when their call returns.</summary>
    public void AwaitPage(Tensor page)
    {
    }

    /// <inheritdoc/>
    public void BeginStep(in Step step) => this.step = step;

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<float> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<double> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<int> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Write(Tensor destination, ReadOnlySpan<byte> values) => HostTransfer.Write(Host(destination), destination, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<float> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<double> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public void Read(Tensor source, Span<byte> values) => HostTransfer.Read(Host(source), source, values);

    /// <inheritdoc/>
    public double Read(Tensor scalar)
    {
        double value = 0;
        Tensor first = scalar with { Rows = 1, Columns = 1 };
        HostTransfer.Read(Host(first), first, new Span<double>(ref value));
        return value;
    }

    /// <inheritdoc/>
    public void Zero(Tensor x) => HostTransfer.Zero(Host(x), x);

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        Host(destination);
        HostTransfer.Copy(Host(source), source, destination);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        arena?.Dispose();
        paged.Dispose();
        arena = null;
        memory = null;
        AllocatedBytes = 0;
    }

    /// <summary>A row of an activation, a gradient or a trainable parameter, to read and to write.</summary>
    private Span<double> Row(Tensor x, int row)
    {
        long offset = x.Offset + (long)row * x.Stride * sizeof(double);
        if (x.Type != DType.Float64 || offset < 0 || offset + x.Columns * sizeof(double) > AllocatedBytes)
        {
            throw new InvalidOperationException($"Row {row} of {x} must be Float64, as all but weights are, and inside the arena of {AllocatedBytes} bytes.");
        }

        return new Span<double>(memory + offset, x.Columns);
    }

    /// <summary>A row of a weight of any type, to read only.</summary>
    private ReadOnlySpan<double> WeightRow(Tensor w, int row)
    {
        if (w.Type == DType.Float64)
        {
            return Row(w, row);
        }

        var widened = new double[w.Columns];
        if (w.Type.IsQuantized())
        {
            Dequantization.Read(w.Type, w.Rows, w.Columns, HostTransfer.Packed(Host(w), w), (long)row * w.Columns, widened.AsSpan());
        }
        else
        {
            HostTransfer.Read(Host(w), w.Slice(row, 1), widened.AsSpan());
        }

        return widened;
    }

    /// <summary>The id in a row of an <see cref="DType.Int32"/> column.</summary>
    /// <exception cref="ArgumentException">The id is outside the table that has <paramref name="limit"/> entries.</exception>
    private int Id(Tensor ids, int row, int limit)
    {
        int id = ((int*)Arena.At(ids))[(long)row * ids.Stride];
        return id < limit ? id : throw new ArgumentException($"The id {id} in row {row} is outside the {limit} entries of its table.");
    }

    /// <summary>The arena's first byte, after a check that the tensor lies in it.</summary>
    private byte* Host(Tensor tensor)
    {
        Arena.At(tensor);
        return Arena.Address;
    }

    /// <summary>The position of a token row within its sequence.</summary>
    private int Position(int row) => step.Position + row % step.Sequence;

    private static double Dot(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++)
        {
            sum += a[i] * b[i];
        }

        return sum;
    }

    /// <summary>y += scale · x.</summary>
    private static void AddScaled(double scale, ReadOnlySpan<double> x, Span<double> y)
    {
        for (int i = 0; i < y.Length; i++)
        {
            y[i] += scale * x[i];
        }
    }

    /// <summary>Starts an accumulation: the row of <paramref name="plus"/>, or zeros where there is none.</summary>
    private void Begin(Span<double> y, Tensor plus, int row)
    {
        if (plus.IsNone)
        {
            y.Clear();
        }
        else
        {
            Row(plus, row).CopyTo(y);
        }
    }
}
