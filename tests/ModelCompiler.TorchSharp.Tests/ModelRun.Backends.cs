using ModelCompiler.Backends;
using ModelCompiler.Torch;

namespace ModelCompiler.Tests.Models;

internal static partial class ModelRun
{
    /// <summary>The backends that whole models are run on.</summary>
    public static TheoryData<string> Backends => ["torchsharp"];

    /// <summary>Creates the backend, whatever a shared test calls it.</summary>
    public static IBackend Backend(string name) => new TorchBackend();
}
