using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Reference;

/// <summary>
/// The oracle: every operation as plain loops in double precision on one thread, written after its formula. Kernels of the
/// other backends are compared with it and it is compared with finite differences. Weights may also be
/// <see cref="DType.Float32"/> or <see cref="DType.BFloat16"/>, those of linear operations quantized; everything else is <see cref="DType.Float64"/>.
/// </summary>
public sealed unsafe partial class ReferenceBackend() : HostBackend(BackendProfile.Reference), IBackend
{
    /// <summary>Does nothing: no operation here needs scratch memory.</summary>
    public void UseWorkspace(long offset, long bytes)
    {
    }

    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        Host(destination);
        HostTransfer.Copy(Host(source), source, destination);
    }

    /// <summary>A row of an activation, a gradient or a trainable parameter, to read and to write.</summary>
    private Span<double> Row(Tensor x, int row)
    {
        byte* first = Arena.At(x);
        if (x.Type != DType.Float64 || (uint)row >= (uint)x.Rows)
        {
            throw new ArgumentException($"Row {row} of {x} must be one of its rows, of Float64 as all but weights are.");
        }

        return new Span<double>(first + (long)row * x.Stride * sizeof(double), x.Columns);
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

    /// <summary>Starts an accumulation: the row of <paramref name="addend"/>, or zeros where there is none.</summary>
    private void Begin(Span<double> y, Tensor addend, int row)
    {
        if (addend.IsNone)
        {
            y.Clear();
        }
        else
        {
            Row(addend, row).CopyTo(y);
        }
    }
}
