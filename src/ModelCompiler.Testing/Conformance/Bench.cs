using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Testing.Conformance;

/// <summary>
/// One backend with one arena that many cases use in turn. All memory around and between the operands is NaN, so that a
/// kernel that reads there spoils its result and one that writes there is seen.
/// </summary>
internal sealed class Bench : IDisposable
{
    private const int ArenaBytes = 6 << 20;
    private const int OperandBytes = 1 << 20;
    private const int Guard = 256;
    private static readonly float Hole = BitConverter.UInt32BitsToSingle(0x7FC07FC0);

    private readonly float[] image = new float[ArenaBytes / sizeof(float)];
    private readonly bool[] owned = new bool[ArenaBytes / sizeof(float)];

    public Bench(IBackend backend)
    {
        Backend = backend;
        long workspace = backend.Profile.Workspace + OperandBytes;
        backend.Allocate(ArenaBytes + workspace);
        backend.UseWorkspace(ArenaBytes, workspace);
    }

    public IBackend Backend { get; }

    /// <summary>Lays out the operands, writes the values and makes the call.</summary>
    public Handles Run(OperationCase operation, IReadOnlyDictionary<string, double[]> values, Variation variation)
    {
        Handles handles = Place(operation, values, variation);
        Backend.BeginStep(operation.Step);
        operation.Call(Backend, handles);
        return handles;
    }

    /// <summary>Lays out the operands and writes the values.</summary>
    public Handles Place(OperationCase operation, IReadOnlyDictionary<string, double[]> values, Variation variation)
    {
        var handles = new Handles();
        Dictionary<string, string> over = (variation.InPlace ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        long offset = Guard;
        foreach (Operand operand in operation.Operands.Where(o => !over.ContainsKey(o.Name)))
        {
            DType type = TypeOf(operand, variation);
            int stride = operand.Columns + (variation.Strided && !operand.Contiguous ? 3 : 0);
            long start = offset + (variation.Strided ? type.Size() : 0);
            var tensor = new Tensor(start, operand.Rows, operand.Columns, stride, type);
            handles[operand.Name] = operand.Name == variation.None ? Tensor.None : tensor;
            offset = (tensor.End + Guard + 63) / 64 * 64;
        }

        foreach ((string output, string input) in over)
        {
            handles[output] = handles[input];
        }

        if (offset > ArenaBytes)
        {
            throw new InvalidOperationException($"{operation} needs {offset} bytes.");
        }

        int used = (int)(offset / sizeof(float));
        Array.Fill(image, Hole, 0, used);
        Backend.Write(new Tensor(0, 1, used, used, DType.Float32), image.AsSpan(0, used));
        Array.Fill(owned, false, 0, used);
        foreach (Operand operand in operation.Operands)
        {
            Tensor tensor = handles[operand.Name];
            if (!tensor.IsNone)
            {
                Own(tensor);
                if (values.TryGetValue(operand.Name, out double[]? content) && !over.ContainsKey(operand.Name))
                {
                    Backend.Write(tensor, content);
                }
            }
        }

        UsedFloats = used;
        return handles;
    }

    /// <summary>The elements of a tensor.</summary>
    public double[] Read(Tensor tensor)
    {
        var values = new double[tensor.Count];
        Backend.Read(tensor, values.AsSpan());
        return values;
    }

    /// <summary>The byte offset of the first hole that no longer holds what it held, or -1.</summary>
    public long FindWriteOutside()
    {
        Backend.Read(new Tensor(0, 1, UsedFloats, UsedFloats, DType.Float32), image.AsSpan(0, UsedFloats));
        for (int i = 0; i < UsedFloats; i++)
        {
            if (!owned[i] && BitConverter.SingleToUInt32Bits(image[i]) != BitConverter.SingleToUInt32Bits(Hole))
            {
                return i * (long)sizeof(float);
            }
        }

        return -1;
    }

    public void Dispose() => Backend.Dispose();

    private int UsedFloats { get; set; }

    private DType TypeOf(Operand operand, Variation variation) => operand.Role switch
    {
        Role.Ids => DType.Int32,
        Role.Codes => DType.UInt8,
        Role.Weight => variation.WeightType ?? Backend.Profile.Compute,
        _ => Backend.Profile.Compute,
    };

    private void Own(Tensor tensor)
    {
        for (int row = 0; row < tensor.Rows; row++)
        {
            long first = tensor.Offset + (long)row * tensor.Stride * tensor.Type.Size();
            long last = first + (long)tensor.Columns * tensor.Type.Size() - 1;
            Array.Fill(owned, true, (int)(first / sizeof(float)), (int)(last / sizeof(float) - first / sizeof(float) + 1));
        }
    }
}
