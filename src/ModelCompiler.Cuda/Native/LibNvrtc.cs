using System.Runtime.InteropServices;

namespace ModelCompiler.Cuda.Native;

/// <summary>Entry points of the run-time compiler. Every one returns an nvrtcResult, 0 for success, but the names of these.</summary>
internal static unsafe partial class LibNvrtc
{
    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcVersion")]
    public static partial int Version(out int major, out int minor);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcGetErrorString")]
    public static partial nint GetErrorString(int result);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcCreateProgram", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CreateProgram(out nint program, string source, string name, int headers, string[] headerTexts, string[] headerNames);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcCompileProgram", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int CompileProgram(nint program, int options, string[] texts);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcGetProgramLogSize")]
    public static partial int GetProgramLogSize(nint program, out nuint bytes);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcGetProgramLog")]
    public static partial int GetProgramLog(nint program, byte* log);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcGetCUBINSize")]
    public static partial int GetCubinSize(nint program, out nuint bytes);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcGetCUBIN")]
    public static partial int GetCubin(nint program, byte* cubin);

    [LibraryImport(LibraryNames.Nvrtc, EntryPoint = "nvrtcDestroyProgram")]
    public static partial int DestroyProgram(ref nint program);
}
