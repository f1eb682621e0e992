using ModelCompiler.Compiler.Graph;

namespace ModelCompiler.Compiler.Operations;

/// <summary>silu(gate) · up.</summary>
public sealed record SwiGlu : GatedActivation
{
    public override string Formula => "h = silu(g) u";

    public override Operation GradientRow => new SwiGluGradient();
}

/// <summary>Gradients of <see cref="SwiGlu"/>.</summary>
public sealed record SwiGluGradient : GatedActivationGradient;
