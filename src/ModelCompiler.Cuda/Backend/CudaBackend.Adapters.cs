using ModelCompiler.Cuda.Launch;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>What adapters and the linears that carry them need beside products.</content>
public sealed unsafe partial class CudaBackend
{
    /// <inheritdoc/>
    public void Copy(Tensor source, Tensor destination)
    {
        if (source.Type == destination.Type)
        {
            long size = source.Type.Size();
            KernelArguments packed = Pack()
                .Add(Address(source)).Add(source.Stride * size).Add(Address(destination)).Add(destination.Stride * size).Add(source.Columns * size);
            ForRows("copy", source.Rows, source.Columns, packed, DType.Float32);
            return;
        }

        string kernel = (source.Type, destination.Type) switch
        {
            (DType.Float32, DType.BFloat16) => "copy_narrow",
            (DType.BFloat16, DType.Float32) => "copy_widen",
            _ => throw new ArgumentException($"Cannot copy {source} to {destination}: only Float32 and BFloat16 become each other."),
        };
        ForRows(kernel, source.Rows, source.Columns, Pack(source, destination).Add(source.Columns), DType.Float32);
    }

    /// <inheritdoc/>
    public void LinearGradientBias(Tensor dy, Tensor db, float scale = 1) =>
        OverColumns("linear_gradient_bias", db.Columns, Pack(dy, db).Add(dy.Rows).Add(dy.Columns).Add(scale), dy.Type);

    /// <inheritdoc/>
    public void InverseRowNorm(Tensor squares, Tensor b, Tensor inner, Tensor gram, Tensor inverse, float scale = 1)
    {
        int warps = _threads / WarpSize;
        Launch(
            "inverse_row_norm",
            (inverse.Columns + warps - 1) / warps,
            1,
            _threads,
            Pack(squares, b, inner, gram, inverse).Add(inverse.Columns).Add(b.Columns).Add(scale),
            DType.Float32,
            b.Type);
    }

    /// <inheritdoc/>
    public void Magnitude(Tensor z, Tensor m, Tensor inverse, Tensor y, Tensor bias = default, Tensor addend = default) =>
        ForRows("apply_magnitude", y.Rows, y.Columns, Pack(z, m, inverse, y, bias, addend).Add(y.Columns), y.Type, m.Type);

    /// <inheritdoc/>
    public void MagnitudeGradient(Tensor dy, Tensor z, Tensor inverse, Tensor dm) =>
        OverColumns("magnitude_gradient", dm.Columns, Pack(dy, z, inverse, dm).Add(dy.Rows).Add(dy.Columns), z.Type);

    /// <inheritdoc/>
    public void ShrinkGates(Tensor c, double threshold) =>
        ForRows("shrink_gates", c.Rows, c.Columns, Pack(c).Add(c.Columns).Add((float)threshold), c.Type);

    /// <inheritdoc/>
    public void RowProducts(Tensor a, Tensor b, Tensor sums) =>
        OverRows("row_products", sums.IsNone ? 0 : a.Rows, a.Columns, Pack(a, b, sums).Add(a.Columns), a.Type);

    /// <inheritdoc/>
    public void Importance(Tensor w, Tensor g, Tensor sensitivity, Tensor uncertainty, float beta1, float beta2) => ForRows(
        "importance",
        w.Rows,
        w.Columns,
        Pack(w, g, sensitivity, uncertainty).Add(w.Columns).Add(beta1).Add((float)(1 - (double)beta1)).Add(beta2).Add((float)(1 - (double)beta2)),
        w.Type);

    /// <summary>y = scale · (x + bias) + plus; x, bias and plus may be none.</summary>
    internal void AddBias(Tensor x, Tensor bias, Tensor y, Tensor addend, float scale) => ForRows(
        "add_bias", y.Rows, y.Columns, Pack(x, bias, y, addend).Add(y.Columns).Add(scale), y.Type, bias.IsNone ? null : bias.Type);
}
