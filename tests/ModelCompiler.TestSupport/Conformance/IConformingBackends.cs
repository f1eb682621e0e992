using ModelCompiler.Backends;

namespace ModelCompiler.Tests.Conformance;

/// <summary>The backends of one test assembly that must agree with Reference.</summary>
public interface IConformingBackends
{
    /// <summary>How each is made, by name.</summary>
    static abstract IReadOnlyDictionary<string, Func<IBackend>> All { get; }
}
