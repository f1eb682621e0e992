using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>gelu(gate) · up.</summary>
public sealed record GeGlu : GatedActivation
{
    public override string Formula => "h = gelu(g) u";

    public override Operation GradientRow => new GeGluGradient();
}

/// <summary>Gradients of <see cref="GeGlu"/>.</summary>
public sealed record GeGluGradient : GatedActivationGradient;
