using System.Numerics;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>Rows of a tensor on a backend, in order, for the host. Of a quantized weight they are decoded from its bytes, which are kept until the last row was read.</summary>
internal sealed class HostRows(IBackend kernels, Tensor tensor)
{
    private byte[]? _packed;

    /// <summary>Reads whole rows.</summary>
    /// <param name="first">The first row.</param>
    /// <param name="values">Takes as many rows as it holds.</param>
    public void Read(int first, Span<float> values)
    {
        if (tensor.Type.IsQuantized())
        {
            Decode(first, values);
        }
        else
        {
            kernels.Read(tensor.Slice(first, values.Length / tensor.Columns), values);
        }
    }

    /// <inheritdoc cref="Read(int, Span{float})"/>
    public void Read(int first, Span<double> values)
    {
        if (tensor.Type.IsQuantized())
        {
            Decode(first, values);
        }
        else
        {
            kernels.Read(tensor.Slice(first, values.Length / tensor.Columns), values);
        }
    }

    private void Decode<T>(int first, Span<T> values)
        where T : unmanaged, INumber<T>
    {
        if (_packed is null)
        {
            _packed = new byte[tensor.Bytes.Columns];
            kernels.Read(tensor.Bytes, _packed.AsSpan());
        }

        long element = (long)first * tensor.Columns;
        Dequantization.Read(tensor.Type, tensor.Rows, tensor.Columns, _packed, element, values);
        if (element + values.Length == tensor.Count)
        {
            _packed = null;
        }
    }
}
