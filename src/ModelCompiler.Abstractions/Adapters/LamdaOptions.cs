namespace ModelCompiler.Adapters;

/// <summary>Options of LaMDA (Azizi et al. 2024).</summary>
public record LamdaOptions : AdapterOptions
{
    /// <inheritdoc/>
    public override string Method => "LaMDA";

    /// <summary>
    /// The part of the optimizer steps, from 0 to 1, after which all of B is frozen. At 0 it is from the first step on, which
    /// <see cref="LamdaInitialization.Random"/> does not allow: nothing would ever train.
    /// </summary>
    public double FreezeUntil { get; init; } = 0.3;

    /// <summary>The start values.</summary>
    public LamdaInitialization Initialization { get; init; } = LamdaInitialization.Spectral;

    /// <inheritdoc/>
    public override bool NeedsMoreToStart => Initialization != LamdaInitialization.Random;

    /// <inheritdoc/>
    public override string StreamOf(string parameter) => $"lamda_{parameter}.weight";
}
