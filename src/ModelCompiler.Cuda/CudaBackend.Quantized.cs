using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Quantised weights.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>RunLength · Runs of quantized.cuh.</summary>
    private const int DecodedByThread = 32;

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

    private QuantizedWeight Quantized(Tensor weight) => new(weight, Address(weight), Constant(SignedMapAt));
}
