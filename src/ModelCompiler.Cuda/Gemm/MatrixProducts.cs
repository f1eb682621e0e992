using ModelCompiler.Cuda.Native;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Gemm;

/// <summary>Dense products by cuBLASLt. The algorithm of a shape is asked for once and kept, so that a step allocates nothing.</summary>
internal sealed class MatrixProducts : IDisposable
{
    private readonly IMatrixLibrary _library;
    private readonly CublasLt _handle;
    private readonly Dictionary<Product, Plan> _plans = [];

    public MatrixProducts(CudaContext context, IMatrixLibrary library)
    {
        _library = library;
        _handle = CublasLt.Create(context, library);
    }

    private readonly record struct Plan(nint Descriptor, nint A, nint B, nint C, nint D, MatmulAlgorithm Algorithm);

    /// <summary>d = alpha · op(a) op(b) + beta · c + bias, all addresses of the device.</summary>
    /// <param name="product">The shape.</param>
    /// <param name="a">The first operand.</param>
    /// <param name="b">The second.</param>
    /// <param name="c">What is added; read only where <paramref name="beta"/> is not 0. It may be d.</param>
    /// <param name="d">The result.</param>
    /// <param name="bias">A vector of the result's type; 0 where there is none.</param>
    /// <param name="alpha">Factor of the product.</param>
    /// <param name="beta">Factor of c.</param>
    /// <param name="workspace">Memory to work in.</param>
    /// <param name="workspaceBytes">Its size.</param>
    /// <param name="stream">The stream.</param>
    /// <exception cref="CudaException">cuBLASLt failed, or has no algorithm for the shape.</exception>
    public void Multiply(
        in Product product, nint a, nint b, nint c, nint d, nint bias, float alpha, float beta, nint workspace, long workspaceBytes, CudaStream stream)
    {
        if (!_plans.TryGetValue(product, out Plan plan))
        {
            _plans.Add(product, plan = Choose(product, workspaceBytes));
        }

        if (product.HasBias)
        {
            Check(_library.DescriptorSet(plan.Descriptor, MatmulAttribute.BiasPointer, bias), "cublasLtMatmulDescSetAttribute");
        }

        var call = new MatmulCall(
            _handle.Handle(), plan.Descriptor, alpha, a, plan.A, b, plan.B, beta, c, plan.C, d, plan.D, workspace, workspaceBytes, stream.Handle());
        Check(_library.Matmul(call, plan.Algorithm), "cublasLtMatmul");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Plan plan in _plans.Values)
        {
            Release(plan);
        }

        _plans.Clear();
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
        var plan = new Plan { Descriptor = descriptor };
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
