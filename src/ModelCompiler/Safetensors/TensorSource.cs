using ModelCompiler.Backends;
using ModelCompiler.Tensors;

namespace ModelCompiler.Safetensors;

/// <summary>Fills <paramref name="destination"/> with consecutive elements of a tensor.</summary>
/// <param name="firstElement">Index of the first element in row-major order; always a multiple of the columns.</param>
/// <param name="destination">Takes whole rows.</param>
public delegate void FillRows(long firstElement, Span<float> destination);

/// <summary>Fills <paramref name="destination"/> with consecutive bytes of a tensor as they are in the file.</summary>
/// <param name="firstByte">Index of the first byte.</param>
/// <param name="destination">Takes as many as it holds.</param>
public delegate void FillBytes(long firstByte, Span<byte> destination);

/// <summary>A tensor to write: where its elements come from is asked piece by piece, so that none need be held twice.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type"><see cref="SafetensorsType.F32"/>, <see cref="SafetensorsType.F16"/>, <see cref="SafetensorsType.BF16"/>, or <see cref="SafetensorsType.U8"/> for codes; any where bytes are given.</param>
/// <param name="Shape">Its dimensions.</param>
/// <param name="Fill">Gives its elements.</param>
public sealed record TensorSource(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, FillRows Fill)
{
    /// <summary>A tensor held in an array.</summary>
    public static TensorSource FromArray(string name, float[] values, SafetensorsType type, params long[] shape) =>
        new(name, type, shape, (first, destination) => values.AsSpan((int)first, destination.Length).CopyTo(destination));

    /// <summary>A tensor of a backend, read from its arena row by row.</summary>
    internal static TensorSource FromTensor(IBackend backend, string name, Tensor tensor, bool vector, SafetensorsType type)
    {
        var rows = new HostRows(backend, tensor);
        return new(name, type, vector ? [tensor.Columns] : [tensor.Rows, tensor.Columns], (first, destination) => rows.Read((int)(first / tensor.Columns), destination));
    }

    /// <summary>A tensor of any type whose bytes are given as they are in the file.</summary>
    public static TensorSource FromBytes(string name, SafetensorsType type, IReadOnlyList<long> shape, FillBytes fill) =>
        new(name, type, shape, (_, _) => throw new InvalidOperationException($"tensor '{name}' is given as bytes.")) { Bytes = fill };

    /// <summary>A tensor of any type whose bytes are held in an array.</summary>
    public static TensorSource FromBytes(string name, SafetensorsType type, byte[] bytes) =>
        FromBytes(name, type, [bytes.Length / type.Size()], (first, destination) => bytes.AsSpan((int)first, destination.Length).CopyTo(destination));

    /// <summary>Gives its bytes, where it is not written element by element.</summary>
    public FillBytes? Bytes { get; private init; }

    /// <summary>Number of elements.</summary>
    public long Count => Shape.Aggregate(1L, (product, dimension) => checked(product * dimension));

    /// <summary>Length of a row: the last dimensions together, or of a vector all of it.</summary>
    internal long Columns => Shape.Count >= 2 && Shape[0] > 0 ? Count / Shape[0] : Count;
}
