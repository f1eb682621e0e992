using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Gemm;

/// <summary>Dense products by cuBLASLt. The algorithm of a shape is asked for once and kept, so that a step allocates nothing.</summary>
internal sealed class MatrixProducts : IDisposable
{
    private readonly IMatrixLibrary _library;
    private readonly CublasLt _handle;
    private readonly Dictionary<Product, int> _numbers = [];
    private readonly List<Plan> _plans = [];

    public MatrixProducts(CudaContext context, IMatrixLibrary library)
    {
        _library = library;
        _handle = CublasLt.Create(context, library);
    }

    private readonly record struct Plan(nint Descriptor, nint A, nint B, nint C, nint D, bool HasBias, MatmulAlgorithm Algorithm);

    /// <summary>The number under which the product's algorithm is kept.</summary>
    /// <param name="product">The shape.</param>
    /// <param name="workspaceBytes">Memory that the algorithm may use.</param>
    /// <exception cref="CudaException">cuBLASLt failed, or has no algorithm for the shape.</exception>
    public int Number(in Product product, long workspaceBytes)
    {
        if (!_numbers.TryGetValue(product, out int number))
        {
            _plans.Add(Choose(product, workspaceBytes));
            _numbers.Add(product, number = _plans.Count - 1);
        }

        return number;
    }

    /// <summary>Starts a product.</summary>
    /// <exception cref="CudaException">cuBLASLt failed.</exception>
    public void Multiply(in ProductCall product, CudaStream stream)
    {
        Plan plan = _plans[(int)product.Number];
        if (plan.HasBias)
        {
            Set(plan.Descriptor, MatmulAttribute.BiasPointer, product.Bias);
        }

        var call = new MatmulCall(
            _handle.Handle(),
            plan.Descriptor,
            product.Alpha,
            product.A,
            plan.A,
            product.B,
            plan.B,
            product.Beta,
            product.C,
            plan.C,
            product.D,
            plan.D,
            product.Workspace,
            product.WorkspaceBytes,
            stream.Handle());
        Check(_library.Matmul(call, plan.Algorithm), "cublasLtMatmul");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Plan plan in _plans)
        {
            Release(plan);
        }

        _plans.Clear();
        _numbers.Clear();
        _handle.Dispose();
    }

    private Plan Choose(in Product product, long workspaceBytes)
    {
        var plan = default(Plan);
        nint preference = 0;
        try
        {
            plan = Describe(product);
            Check(_library.PreferenceCreate(out preference), "cublasLtMatmulPreferenceCreate");
            Prefer(preference, PreferenceAttribute.WorkspaceBytes, workspaceBytes);
            Prefer(preference, PreferenceAttribute.AlignmentOfA, product.AlignmentA);
            Prefer(preference, PreferenceAttribute.AlignmentOfB, product.AlignmentB);
            Prefer(preference, PreferenceAttribute.AlignmentOfC, product.AlignmentC);
            Prefer(preference, PreferenceAttribute.AlignmentOfD, product.AlignmentD);
            int result = _library.Heuristic(
                _handle.Handle(), plan.Descriptor, plan.A, plan.B, plan.C, plan.D, preference, out MatmulHeuristic found, out int count);
            Check(result, $"cublasLtMatmulAlgoGetHeuristic({product})");
            if (count == 0)
            {
                throw new CudaException($"cublasLtMatmulAlgoGetHeuristic({product})", "no algorithm", 0);
            }

            return plan with { Algorithm = found.Algorithm };
        }
        catch
        {
            Release(plan);
            throw;
        }
        finally
        {
            if (preference != 0)
            {
                _library.PreferenceDestroy(preference);
            }
        }
    }

    private Plan Describe(in Product product)
    {
        Check(_library.DescriptorCreate(out nint descriptor), "cublasLtMatmulDescCreate");
        var plan = new Plan { Descriptor = descriptor, HasBias = product.HasBias };
        try
        {
            Set(descriptor, MatmulAttribute.TransposeA, product.TransposeA ? 1 : 0);
            Set(descriptor, MatmulAttribute.TransposeB, product.TransposeB ? 1 : 0);
            if (product.HasBias)
            {
                Set(descriptor, MatmulAttribute.Epilogue, (long)MatmulEpilogue.Bias);
            }

            (int rows, int columns, int depth) = (product.Rows, product.Columns, product.Depth);
            plan = plan with { A = Layout(product.Operands, product.TransposeA ? depth : rows, product.TransposeA ? rows : depth, product.LeadingA) };
            plan = plan with { B = Layout(product.Operands, product.TransposeB ? columns : depth, product.TransposeB ? depth : columns, product.LeadingB) };
            plan = plan with { C = Layout(product.Result, rows, columns, product.LeadingC) };
            return plan with { D = Layout(product.Result, rows, columns, product.LeadingD) };
        }
        catch
        {
            Release(plan);
            throw;
        }
    }

    private nint Layout(DType type, int rows, int columns, int leading)
    {
        CudaDataType known = type switch
        {
            DType.Float32 => CudaDataType.Float32,
            DType.BFloat16 => CudaDataType.BFloat16,
            _ => throw new ArgumentException($"Products are of Float32 and BFloat16, not of {type}."),
        };
        Check(_library.LayoutCreate(out nint layout, known, rows, columns, leading), "cublasLtMatrixLayoutCreate");
        return layout;
    }

    private void Release(in Plan plan)
    {
        foreach (nint layout in (ReadOnlySpan<nint>)[plan.A, plan.B, plan.C, plan.D])
        {
            if (layout != 0)
            {
                _library.LayoutDestroy(layout);
            }
        }

        if (plan.Descriptor != 0)
        {
            _library.DescriptorDestroy(plan.Descriptor);
        }
    }

    private void Set(nint descriptor, MatmulAttribute attribute, long value) =>
        Check(_library.DescriptorSet(descriptor, attribute, value), "cublasLtMatmulDescSetAttribute");

    private void Prefer(nint preference, PreferenceAttribute attribute, long value) =>
        Check(_library.PreferenceSet(preference, attribute, value), "cublasLtMatmulPreferenceSetAttribute");

    private void Check(int result, string call)
    {
        if (result != 0)
        {
            throw new CudaException(call, _library.ErrorName(result), result);
        }
    }
}
