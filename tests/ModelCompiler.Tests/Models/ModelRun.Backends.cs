using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Tests.Models;

internal static partial class ModelRun
{
    /// <summary>The backends that whole models are run on.</summary>
    public static TheoryData<string> Backends => ["reference", "cpu-1", "cpu-2"];

    /// <summary>Creates a backend by name: "reference", or "cpu-" and the number of threads.</summary>
    public static IBackend Backend(string name) =>
        name == "reference" ? new ReferenceBackend() : new CpuBackend(int.Parse(name["cpu-".Length..], System.Globalization.CultureInfo.InvariantCulture));
}
