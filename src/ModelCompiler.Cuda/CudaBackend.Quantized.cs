using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Decoding of quantised weights.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>Elements that one thread decodes.</summary>
    private const int DecodedAtOnce = 8;

    /// <summary>The elements of a quantised weight, row after row without gaps.</summary>
    /// <param name="weight">The weight, [rows, columns].</param>
    /// <param name="y">As many elements, Float32 or bfloat16.</param>
    internal void Decode(Tensor weight, Tensor y)
    {
        if (weight.Type.Kind() != DType.NF4)
        {
            throw new NotSupportedException($"{weight.Type.Kind()} weights have no kernel on a GPU; use NF4.");
        }

        StorageLayout layout = StorageLayout.Of(weight.Type, weight.Rows, weight.Columns);
        nint codes = Address(weight);
        bool nested = weight.Type.IsNested();
        KernelArguments packed = Pack()
            .Add(codes).Add(codes + (nint)layout.Factors).Add(nested ? codes + (nint)layout.Nested : 0).Add(nested ? codes + (nint)layout.Mean : 0)
            .Add(Constant(SignedMapAt)).Add(Address(y)).Add(weight.Count).Add(int.Log2(weight.Type.BlockSize()));
        long threads = (weight.Count + DecodedAtOnce - 1) / DecodedAtOnce;
        Launch("nf4_dequantize", checked((int)((threads + _threads - 1) / _threads)), 1, _threads, packed, y.Type);
    }
}
