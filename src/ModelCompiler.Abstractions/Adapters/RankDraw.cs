namespace ModelCompiler;

/// <summary>Which ranks a step of DyLoRA draws from.</summary>
public enum RankDraw
{
    /// <summary>1 to the maximum rank, all equally often (the published code of DyLoRA).</summary>
    Uniform,

    /// <summary>1, 2, 4, ... and the maximum rank, all equally often (QDyLoRA's set).</summary>
    PowersOfTwo,
}
