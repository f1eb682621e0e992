namespace ModelCompiler.Operations;

/// <summary>What a norm is told beside its tensors.</summary>
/// <param name="Epsilon">ε inside the square root.</param>
public readonly record struct NormShape(float Epsilon);
