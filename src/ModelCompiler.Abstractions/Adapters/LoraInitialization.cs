namespace ModelCompiler;

/// <summary>Start values of a LoRA adapter. With all but the last the model computes what its base does before the first step, but for rounding.</summary>
public enum LoraInitialization
{
    /// <summary>A uniform in ±1/√in (Kaiming with a = √5, as PEFT does), B 0.</summary>
    Kaiming,

    /// <summary>A normal with deviation 1/r (Hu et al. 2021, section 4.1), B 0.</summary>
    Gaussian,

    /// <summary>
    /// PiSSA (Meng, Wang and Zhang 2024): A = √(S/s) · Vᵀ and B = U · √(S/s) of the r largest singular values of the frozen weight W, which
    /// becomes W − s · B A. A weight whose storage is quantized is quantized after that.
    /// </summary>
    Pissa,

    /// <summary>
    /// LoftQ (Li et al. 2023, algorithm 1): A and B of the r largest singular values of what NF4 loses of W, so that weight and adapter together
    /// are nearer to W than the weight alone.
    /// </summary>
    Loftq,
}
