using System.Runtime.CompilerServices;

namespace ModelCompiler.Models;

/// <summary>The models of this assembly.</summary>
public static class Gallery
{
    /// <summary>Loads the assembly, so that its models are registered.</summary>
    public static void Register() => RuntimeHelpers.RunModuleConstructor(typeof(Gallery).Module.ModuleHandle);
}
