using ModelCompiler.Backends;

namespace ModelCompiler.Tests.Models;

/// <summary>The backends that whole models are run on: those of one test assembly.</summary>
public interface ITestedBackends
{
    /// <summary>Their names.</summary>
    static abstract TheoryData<string> Names { get; }

    /// <summary>Creates one by its name, or "cpu-" and a number of threads to compare with. Skips the test where it cannot be had.</summary>
    static abstract IBackend Create(string name);
}
