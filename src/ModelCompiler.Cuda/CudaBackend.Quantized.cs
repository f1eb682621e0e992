using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Quantised weights.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>RunLength · Runs of quantized.cuh.</summary>
    private const int DecodedByThread = 32;

    /// <summary>Rows of x that nf4_gemv.cu has kernels for.</summary>
    private const int GemvRows = 8;

    /// <summary>The elements of a quantised weight, row after row without gaps.</summary>
    /// <param name="weight">The weight, [rows, columns].</param>
    /// <param name="y">As many elements, Float32 or bfloat16.</param>
    internal void Decode(Tensor weight, Tensor y)
    {
        string kernel = weight.Type.Kind() switch
        {
            DType.NF4 => "nf4_dequantize",
            DType.Int8 => "int8_dequantize",
            _ => "int4_dequantize",
        };
        long threads = (weight.Count + DecodedByThread - 1) / DecodedByThread;
        KernelArguments packed = Pack().Add(Quantized(weight)).Add(Address(y));
        Launch(kernel, checked((int)((threads + _threads - 1) / _threads)), 1, _threads, packed, y.Type);
    }

    /// <summary>y = scale · (x wᵀ + bias) + plus without decoding w to memory, where a kernel does that.</summary>
    /// <returns>Whether one does.</returns>
    private bool MultiplyQuantized(Tensor x, Tensor w, Tensor y, Tensor bias, Tensor plus, float scale)
    {
        if (w.Type.Kind() != DType.NF4 || x.Type != y.Type || x.Rows > GemvRows || (!plus.IsNone && plus.Type != y.Type))
        {
            return false;
        }

        string kernel = x.Rows switch
        {
            1 => "nf4_gemv_1",
            2 => "nf4_gemv_2",
            <= 4 => "nf4_gemv_4",
            _ => "nf4_gemv_8",
        };
        int outputsOfBlock = _threads / WarpSize;
        KernelArguments packed = Pack().Add(Quantized(w));
        foreach (Tensor tensor in (ReadOnlySpan<Tensor>)[x, bias, plus, y])
        {
            packed.Add(Address(tensor)).Add((long)tensor.Stride);
        }

        packed.Add(x.Rows).Add(y.Columns).Add(x.Columns).Add(scale);
        Launch(kernel, (y.Columns + outputsOfBlock - 1) / outputsOfBlock, 1, _threads, packed, x.Type, bias.IsNone ? x.Type : bias.Type);
        return true;
    }

    private QuantizedWeight Quantized(Tensor weight) => new(weight, Address(weight), Constant(SignedMapAt));
}
