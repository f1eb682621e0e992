namespace ModelCompiler;

/// <summary>How frozen weights are held in memory.</summary>
public enum Storage
{
    /// <summary>32-bit IEEE floating point: 4 bytes a parameter.</summary>
    Float32,

    /// <summary>bfloat16: 2 bytes a parameter, widened to fp32 inside the kernels.</summary>
    BFloat16,
}
