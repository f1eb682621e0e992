using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Models;

/// <summary>The backends that whole models are run on here: Reference and the CPU.</summary>
public sealed class ModelBackends : ITestedBackends
{
    /// <summary>The backends that whole models are run on.</summary>
    public static TheoryData<string> Names => ["reference", "cpu-1", "cpu-2"];

    /// <summary>Creates a backend by name: "reference", or "cpu-" and the number of threads.</summary>
    public static IBackend Create(string name) =>
        name == "reference" ? new ReferenceBackend() : new CpuBackend(int.Parse(name["cpu-".Length..], System.Globalization.CultureInfo.InvariantCulture));
}
