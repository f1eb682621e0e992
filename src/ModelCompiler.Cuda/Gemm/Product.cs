using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Gemm;

/// <summary>
/// The shape of d = op(a) op(b) + c with column-major matrices, d of [rows, columns]: everything that a choice of algorithm depends on. A
/// row-major matrix is the column-major one transposed, so that y = x wᵀ is the product of w, transposed, and x.
/// </summary>
/// <param name="TransposeA">Whether a is given as [depth, rows].</param>
/// <param name="TransposeB">Whether b is given as [columns, depth].</param>
/// <param name="Rows">Rows of d.</param>
/// <param name="Columns">Columns of d.</param>
/// <param name="Depth">Length of the sums.</param>
/// <param name="Operands">Type of a and b.</param>
/// <param name="Result">Type of c and d.</param>
/// <param name="LeadingA">Elements from one column of a to the next.</param>
/// <param name="LeadingB">Of b.</param>
/// <param name="LeadingC">Of c.</param>
/// <param name="LeadingD">Of d.</param>
/// <param name="HasBias">Whether a vector as long as d's columns is added to each of them.</param>
/// <param name="AlignmentA">The greatest power of two up to 256 that a's address is a multiple of.</param>
/// <param name="AlignmentB">Of b.</param>
/// <param name="AlignmentC">Of c.</param>
/// <param name="AlignmentD">Of d.</param>
internal readonly record struct Product(
    bool TransposeA,
    bool TransposeB,
    int Rows,
    int Columns,
    int Depth,
    DType Operands,
    DType Result,
    int LeadingA,
    int LeadingB,
    int LeadingC,
    int LeadingD,
    bool HasBias,
    int AlignmentA,
    int AlignmentB,
    int AlignmentC,
    int AlignmentD)
{
    /// <summary>The greatest power of two up to 256, all that cuBLASLt asks for, that an address is a multiple of.</summary>
    public static int AlignmentOf(nint address) => (int)Math.Min(address & -address, 256);
}
