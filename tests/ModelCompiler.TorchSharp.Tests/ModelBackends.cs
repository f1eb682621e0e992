using ModelCompiler.Backends;
using ModelCompiler.Torch;

namespace ModelCompiler.Tests.Models;

/// <summary>TorchSharp.</summary>
public sealed class ModelBackends : ITestedBackends
{
    /// <summary>The backends that whole models are run on.</summary>
    public static TheoryData<string> Names => ["torchsharp"];

    /// <summary>Creates the backend, whatever a shared test calls it.</summary>
    public static IBackend Create(string name) => new TorchBackend();
}
