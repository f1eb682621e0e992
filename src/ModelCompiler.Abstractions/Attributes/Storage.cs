namespace ModelCompiler;

/// <summary>How frozen weights are held in memory.</summary>
public enum Storage
{
    /// <summary>32-bit IEEE floating point: 4 bytes a parameter.</summary>
    Float32,

    /// <summary>bfloat16: 2 bytes a parameter, widened to fp32 inside the kernels.</summary>
    BFloat16,

    /// <summary>
    /// 4-bit NormalFloat with one absmax per block (Dettmers et al. 2023, QLoRA, section 3), bit-compatible with bitsandbytes: 4.5 bits a
    /// parameter at block 64, 4.127 double quantized.
    /// </summary>
    NF4,

    /// <summary>8-bit integers with one absmax per block: 8.5 bits a parameter at block 64.</summary>
    Int8,

    /// <summary>4-bit integers with scale and zero point per group of inputs, the form of GPTQ and QA-LoRA: 5 bits a parameter at group 64.</summary>
    Int4,
}
