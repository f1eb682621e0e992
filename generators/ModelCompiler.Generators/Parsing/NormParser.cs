using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;

namespace ModelCompiler.Generators.Parsing;

/// <summary>Reads the norm of a sublayer or of the model's end.</summary>
internal static class NormParser
{
    public static NormSpec? Parse(ISymbol symbol, Origin member, ProblemList problems)
    {
        AttributeData? rms = symbol.Find("RmsNorm");
        AttributeData? layer = symbol.Find("LayerNorm");
        if (rms is not null && layer is not null)
        {
            problems.Add(ProblemIds.TwoNorms, member with { Attribute = "LayerNorm" }, symbol.Name);
            return null;
        }

        var arguments = new AttributeArguments(rms ?? layer);
        float epsilon = arguments.Get("Epsilon", 1e-5f);
        return rms is not null ? new NormSpec(NormKind.Rms, new NormShape(epsilon), Bias: false)
            : layer is not null ? new NormSpec(NormKind.Layer, new NormShape(epsilon), arguments.Get("Bias", true))
            : null;
    }
}
