using System.Runtime.InteropServices;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda.Launch;

/// <summary>QuantizedWeight of quantized.cuh: the addresses of a weight's parts. Without gaps between its fields, so that equal arguments are equal bytes.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct QuantizedWeight
{
    private readonly nint _codes;
    private readonly nint _factors;
    private readonly nint _zeros;
    private readonly nint _nested;
    private readonly nint _mean;
    private readonly nint _map;
    private readonly long _count;
    private readonly long _blockLog;

    /// <param name="weight">A quantized weight.</param>
    /// <param name="address">Where its bytes begin.</param>
    /// <param name="map">Where the values of the signed dynamic map lie.</param>
    public QuantizedWeight(Tensor weight, nint address, nint map)
    {
        StorageLayout layout = StorageLayout.Of(weight.Type, weight.Rows, weight.Columns);
        nint Part(long offset) => offset < 0 ? 0 : address + (nint)offset;
        (_codes, _factors, _zeros) = (address, Part(layout.Factors), Part(layout.Zeros));
        (_nested, _mean, _map) = (Part(layout.Nested), Part(layout.Mean), map);
        (_count, _blockLog) = (weight.Count, int.Log2(weight.Type.BlockSize()));
    }
}
