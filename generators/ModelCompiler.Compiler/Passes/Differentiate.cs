using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;

namespace ModelCompiler.Compiler.Passes;

/// <summary>
/// Writes the backward of a region by the catalog's gradient rules, last operation first. It differentiates everything and asks
/// nothing about what is frozen.
/// </summary>
public static class Differentiate
{
    /// <summary>Runs the pass.</summary>
    /// <param name="forward">The region.</param>
    /// <param name="outputGradient">The gradient coming in; null where the region ends in the loss.</param>
    public static Region Run(Region forward, Value? outputGradient)
    {
        var g = new GradientBuilder();
        if (outputGradient is not null)
        {
            g.Start(forward.Output!, outputGradient);
        }

        for (int i = forward.Ops.Length - 1; i >= 0; i--)
        {
            forward.Ops[i].Operation.Gradient(forward.Ops[i], g);
        }

        return new Region(g.Ops.ToArray(), outputGradient, g.Of(forward.Input));
    }
}
