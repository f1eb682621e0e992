using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Tests.Mocks;

/// <summary>A cuBLASLt that multiplies on the host, in double, as its descriptors say; it counts descriptors that were not destroyed.</summary>
internal sealed unsafe class MockMatrixLibrary(MockDriver? driver = null) : IMatrixLibrary
{
    private const int InvalidValue = 7;

    private readonly Dictionary<nint, Dictionary<MatmulAttribute, long>> descriptors = [];
    private readonly Dictionary<nint, Layout> layouts = [];
    private readonly Dictionary<nint, Dictionary<PreferenceAttribute, long>> preferences = [];
    private nint next = 0x100;

    private readonly record struct Layout(CudaDataType Type, int Rows, int Columns, long Leading);

    public bool IsPresent { get; init; } = true;

    public int CreateResult { get; init; }

    /// <summary>Codes by the entry point that is to return them.</summary>
    public Dictionary<string, int> Failing { get; } = [];

    /// <summary>Whether there is an algorithm for any shape.</summary>
    public bool HasAlgorithms { get; init; } = true;

    public List<nint> Destroyed { get; } = [];

    /// <summary>Questions for an algorithm so far.</summary>
    public int Heuristics { get; private set; }

    /// <summary>Descriptors, layouts and preferences not destroyed.</summary>
    public int Live => descriptors.Count + layouts.Count + preferences.Count;

    public string ErrorName(int error) => error switch
    {
        1 => "CUBLAS_STATUS_NOT_INITIALIZED",
        InvalidValue => "CUBLAS_STATUS_INVALID_VALUE",
        _ => $"cuBLAS status {error}",
    };

    public long Version() => 120_403;

    public int Create(out nint handle)
    {
        handle = 0x55;
        return CreateResult;
    }

    public int Destroy(nint handle)
    {
        Destroyed.Add(handle);
        return 0;
    }

    public int DescriptorCreate(out nint descriptor)
    {
        descriptor = next++;
        descriptors.Add(descriptor, []);
        return 0;
    }

    public int DescriptorSet(nint descriptor, MatmulAttribute attribute, long value)
    {
        descriptors[descriptor][attribute] = value;
        return 0;
    }

    public int DescriptorDestroy(nint descriptor) => descriptors.Remove(descriptor) ? 0 : InvalidValue;

    public int LayoutCreate(out nint layout, CudaDataType type, int rows, int columns, long leading)
    {
        layout = 0;
        int result = leading >= rows ? Failing.GetValueOrDefault("cublasLtMatrixLayoutCreate") : InvalidValue;
        if (result == 0)
        {
            layout = next++;
            layouts.Add(layout, new Layout(type, rows, columns, leading));
        }

        return result;
    }

    public int LayoutDestroy(nint layout) => layouts.Remove(layout) ? 0 : InvalidValue;

    public int PreferenceCreate(out nint preference)
    {
        preference = 0;
        int result = Failing.GetValueOrDefault("cublasLtMatmulPreferenceCreate");
        if (result == 0)
        {
            preference = next++;
            preferences.Add(preference, []);
        }

        return result;
    }

    public int PreferenceSet(nint preference, PreferenceAttribute attribute, long value)
    {
        preferences[preference][attribute] = value;
        return 0;
    }

    public int PreferenceDestroy(nint preference) => preferences.Remove(preference) ? 0 : InvalidValue;

    public int Heuristic(nint handle, nint descriptor, nint a, nint b, nint c, nint d, nint preference, out MatmulHeuristic found, out int count)
    {
        Heuristics++;
        found = default;
        count = HasAlgorithms ? 1 : 0;
        Dictionary<MatmulAttribute, long> attributes = descriptors[descriptor];
        (Layout la, Layout lb, Layout lc, Layout ld) = (layouts[a], layouts[b], layouts[c], layouts[d]);
        bool transposeA = attributes[MatmulAttribute.TransposeA] == 1;
        bool transposeB = attributes[MatmulAttribute.TransposeB] == 1;
        bool fits = (transposeA ? la.Columns : la.Rows) == ld.Rows
            && (transposeB ? lb.Rows : lb.Columns) == ld.Columns
            && (transposeA ? la.Rows : la.Columns) == (transposeB ? lb.Columns : lb.Rows)
            && (lc.Rows, lc.Columns, lc.Type) == (ld.Rows, ld.Columns, ld.Type)
            && la.Type == lb.Type;
        return fits && preferences[preference].Count == 5 ? 0 : InvalidValue;
    }

    public int Matmul(in MatmulCall call, in MatmulAlgorithm algorithm)
    {
        if (Failing.TryGetValue("cublasLtMatmul", out int result))
        {
            return result;
        }

        // The bias is read when the product is started, and not when a graph that has it is.
        MatmulCall started = call;
        var attributes = new Dictionary<MatmulAttribute, long>(descriptors[call.Descriptor]);
        return driver?.Do(() => Multiply(started, attributes)) ?? Multiply(started, attributes);
    }

    private int Multiply(in MatmulCall call, Dictionary<MatmulAttribute, long> attributes)
    {
        (Layout a, Layout b, Layout c, Layout d) = (layouts[call.LayoutA], layouts[call.LayoutB], layouts[call.LayoutC], layouts[call.LayoutD]);
        bool transposeA = attributes[MatmulAttribute.TransposeA] == 1;
        bool transposeB = attributes[MatmulAttribute.TransposeB] == 1;
        bool hasBias = attributes.GetValueOrDefault(MatmulAttribute.Epilogue) == (long)MatmulEpilogue.Bias;
        int depth = transposeA ? a.Rows : a.Columns;
        double[] first = Gather(call.A, a, transposed: !transposeA);
        double[] second = Gather(call.B, b, transposed: transposeB);
        for (int column = 0; column < d.Columns; column++)
        {
            for (int row = 0; row < d.Rows; row++)
            {
                double sum = 0;
                for (int k = 0; k < depth; k++)
                {
                    sum += first[row * depth + k] * second[column * depth + k];
                }

                sum *= call.Alpha;
                sum += call.Beta == 0 ? 0 : call.Beta * At(call.C, c, row, column);
                sum += hasBias ? Element((nint)attributes[MatmulAttribute.BiasPointer], d.Type, row) : 0;
                Put(call.D, d, row, column, (float)sum);
            }
        }

        return 0;
    }

    /// <summary>The elements, those of a column one after the other; of a row, transposed.</summary>
    private static double[] Gather(nint address, Layout layout, bool transposed)
    {
        var values = new double[layout.Rows * layout.Columns];
        int next = 0;
        for (int outer = 0; outer < (transposed ? layout.Rows : layout.Columns); outer++)
        {
            for (int inner = 0; inner < (transposed ? layout.Columns : layout.Rows); inner++)
            {
                values[next++] = At(address, layout, transposed ? outer : inner, transposed ? inner : outer);
            }
        }

        return values;
    }

    private static double At(nint address, Layout layout, int row, int column) => Element(address, layout.Type, column * layout.Leading + row);

    private static double Element(nint address, CudaDataType type, long index) => type == CudaDataType.Float32
        ? ((float*)address)[index]
        : BitConverter.UInt32BitsToSingle((uint)((ushort*)address)[index] << 16);

    private static void Put(nint address, Layout layout, int row, int column, float value)
    {
        long index = column * layout.Leading + row;
        if (layout.Type == CudaDataType.Float32)
        {
            ((float*)address)[index] = value;
        }
        else
        {
            ((ushort*)address)[index] = Backends.HostTransfer.ToBFloat16(value);
        }
    }
}
