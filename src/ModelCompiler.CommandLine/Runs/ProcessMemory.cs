using System.Runtime.InteropServices;

namespace ModelCompiler.CommandLine.Runs;

/// <summary>What the process holds beside the arena.</summary>
internal static unsafe class ProcessMemory
{
    private static readonly delegate* unmanaged<nuint, int> s_trim = Trim();

    /// <summary>
    /// Gives back what nothing uses any more: the garbage of reading and parsing, which the collector would keep for later, and what the just-in-time
    /// compiler has freed, which the C library would. To be called before the arena is made, so that the peak has the arena and what is in use.
    /// </summary>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (s_trim != null)
        {
            s_trim(0);
        }
    }

    /// <summary>glibc's malloc_trim; null where the C library is another.</summary>
    private static delegate* unmanaged<nuint, int> Trim() =>
        OperatingSystem.IsLinux() && NativeLibrary.TryLoad("libc.so.6", out nint library) && NativeLibrary.TryGetExport(library, "malloc_trim", out nint address)
            ? (delegate* unmanaged<nuint, int>)address
            : null;
}
