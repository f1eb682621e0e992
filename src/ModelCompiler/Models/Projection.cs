namespace ModelCompiler.Models;

/// <summary>A linear projection.</summary>
/// <param name="weight">The weight, [out, in].</param>
/// <param name="bias">The bias, [1, out]; null where there is none.</param>
public class Projection(Parameter weight, Parameter? bias = null)
{
    /// <summary>The weight, [out, in].</summary>
    public Parameter Weight { get; } = weight;

    /// <summary>The bias, [1, out].</summary>
    /// <exception cref="InvalidOperationException">The projection has none.</exception>
    public Parameter Bias => bias ?? throw new InvalidOperationException($"{Weight.Path} has no bias");
}

/// <summary>A linear projection that carries an adapter.</summary>
/// <typeparam name="TAdapter">The adapter's class.</typeparam>
/// <param name="weight">The weight, [out, in].</param>
/// <param name="adapter">The adapter; null in layers below its first.</param>
/// <param name="bias">The bias, [1, out]; null where there is none.</param>
public sealed class Projection<TAdapter>(Parameter weight, TAdapter? adapter, Parameter? bias = null) : Projection(weight, bias)
    where TAdapter : class
{
    /// <summary>The adapter.</summary>
    /// <exception cref="InvalidOperationException">This layer lies below the first one with an adapter.</exception>
    public TAdapter Adapter => adapter ?? throw new InvalidOperationException($"{Weight.Path} carries no adapter in this layer");
}

/// <summary>The parameters of a norm.</summary>
/// <param name="weight">The factor per channel, [1, width].</param>
/// <param name="bias">The bias, [1, width]; null where there is none.</param>
public sealed class Norm(Parameter weight, Parameter? bias = null)
{
    /// <summary>The factor per channel, [1, width].</summary>
    public Parameter Weight { get; } = weight;

    /// <summary>The bias, [1, width].</summary>
    /// <exception cref="InvalidOperationException">The norm has none.</exception>
    public Parameter Bias => bias ?? throw new InvalidOperationException($"{Weight.Path} has no bias");
}
