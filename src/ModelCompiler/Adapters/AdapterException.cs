namespace ModelCompiler.Adapters;

/// <summary>An adapter cannot start from its base.</summary>
public sealed class AdapterException(string message) : ModelCompilerException(message);
