namespace ModelCompiler.Operations;

/// <summary>What rotary positions are told beside their tensors (Su et al. 2021).</summary>
/// <param name="HeadWidth">Channels of one head.</param>
/// <param name="Width">How many of a head's leading channels rotate; channel i pairs with i + Width / 2.</param>
/// <param name="Theta">θ, the base of the geometric series of wavelengths.</param>
/// <param name="Scaling">How frequencies are stretched.</param>
public readonly record struct RotaryShape(int HeadWidth, int Width, float Theta, FrequencyScaling Scaling = default)
{
    /// <summary>Radians a position by which pair i turns: θ^(−2i / Width), scaled.</summary>
    public double Frequency(int i) => Scaling.Scale(Math.Pow(Theta, -2.0 * i / Width));
}
