namespace ModelCompiler;

/// <summary>Start values of a LaMDA adapter. With each of them the model computes what its base does before the first step.</summary>
public enum LamdaInitialization
{
    /// <summary>A = V_rᵀ and B = U_r, the largest singular vectors of the frozen weight W = U Σ Vᵀ, and S = 0.</summary>
    Spectral,

    /// <summary>
    /// The same with S = Σ_r / s. What the adapter adds then counts from there, y = W x + s · (B S − U_r S₀) A x, which is W without its
    /// largest singular directions with the adapter in their place; W itself stays as it is stored.
    /// </summary>
    SpectralResidual,

    /// <summary>A uniform in ±1/√in (Kaiming with a = √5), S uniform in ±1/√r, B 0: what the authors' published code does.</summary>
    Random,
}
