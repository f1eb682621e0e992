using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>Finds the libraries behind this assembly's P/Invokes.</summary>
internal static class LibraryResolver
{
    /// <summary>Whether a library can be loaded here.</summary>
    public static bool IsPresent(string library) => Load(library) != 0;

    // Before the first P/Invoke of the assembly, wherever that is: a resolver can be set only once.
#pragma warning disable CA2255
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Register() =>
        NativeLibrary.SetDllImportResolver(Assembly.GetExecutingAssembly(), static (name, _, _) => Load(name));

    /// <summary>The library's handle; 0 where no candidate can be loaded.</summary>
    private static nint Load(string library)
    {
        IEnumerable<string> candidates = LibraryNames.Candidates(
            library,
            OperatingSystem.IsWindows(),
            Environment.GetEnvironmentVariable(LibraryNames.FolderVariable),
            Environment.GetEnvironmentVariable(LibraryNames.ToolkitVariable));
        foreach (string candidate in candidates)
        {
            if (NativeLibrary.TryLoad(candidate, out nint handle))
            {
                return handle;
            }
        }

        return 0;
    }
}
