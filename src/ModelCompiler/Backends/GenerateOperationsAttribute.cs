namespace ModelCompiler.Backends;

/// <summary>What the generated methods of a class do.</summary>
internal enum GeneratedCalls
{
    /// <summary>Hand the call on to <c>_inner</c>, with activations through <c>In</c> and <c>Out</c>, then <c>Narrow</c>.</summary>
    Widen,

    /// <summary>Tell <c>Count</c> the operation and its tensors.</summary>
    Count,
}

/// <summary>What the class does not declare of <see cref="IBackend"/> is written by generators/ModelCompiler.Internal from the interface's signatures.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class GenerateOperationsAttribute(GeneratedCalls calls) : Attribute
{
    /// <summary>What the generated methods do.</summary>
    public GeneratedCalls Calls { get; } = calls;
}
