namespace ModelCompiler.Cuda.Gemm;

/// <summary>d = alpha · op(a) op(b) + beta · c + bias; all addresses are the device's.</summary>
/// <param name="Number">The shape's number in <see cref="MatrixProducts"/>.</param>
/// <param name="A">The first operand.</param>
/// <param name="B">The second.</param>
/// <param name="C">What is added; read only where <paramref name="Beta"/> is not 0. It may be d.</param>
/// <param name="D">The result.</param>
/// <param name="Bias">A vector of the result's type; 0 where the shape has none.</param>
/// <param name="Alpha">Factor of the product.</param>
/// <param name="Beta">Factor of c.</param>
/// <param name="Workspace">Memory to work in.</param>
/// <param name="WorkspaceBytes">Its size.</param>
/// <remarks>Without gaps between its fields, so that equal calls are equal bytes.</remarks>
internal readonly record struct ProductCall(
    long Number, nint A, nint B, nint C, nint D, nint Bias, float Alpha, float Beta, nint Workspace, long WorkspaceBytes);
