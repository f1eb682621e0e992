using ModelCompiler.Backends;
using ModelCompiler.Planning;

namespace ModelCompiler.Testing.Conformance;

/// <summary>How one run of a case differs from the plain one.</summary>
/// <param name="Strided">Rows start further apart than their columns and at no aligned address.</param>
/// <param name="None">The operand that is none.</param>
/// <param name="InPlace">Which outputs share the memory of which inputs.</param>
/// <param name="WeightType">Element type of weights; null for the compute type.</param>
internal sealed record Variation(bool Strided = false, string? None = null, string? InPlace = null, DType? WeightType = null)
{
    /// <summary>Every variation of a case, one difference at a time (strides alternate with them).</summary>
    public static IEnumerable<Variation> Of(OperationCase operation)
    {
        yield return new Variation();
        yield return new Variation(Strided: true);
        bool strided = false;
        foreach (Operand operand in operation.Operands)
        {
            if (operand.Optional || (operand.IsResult && !operand.Required))
            {
                yield return new Variation(strided = !strided, None: operand.Name);
            }
        }

        foreach (string form in operation.InPlace)
        {
            yield return new Variation(strided = !strided, InPlace: form);
        }

        if (operation.Operands.Any(o => o.Role == Role.Weight))
        {
            yield return new Variation(WeightType: DType.BFloat16);
            yield return new Variation(Strided: true, WeightType: DType.BFloat16);
        }
    }
}
