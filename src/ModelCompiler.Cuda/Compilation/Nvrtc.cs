using System.Runtime.InteropServices;
using System.Text;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>The installed NVRTC.</summary>
internal sealed unsafe class Nvrtc : IRuntimeCompiler
{
    public static Nvrtc Instance { get; } = new();

    public bool IsPresent => LibraryResolver.IsPresent(LibraryNames.Nvrtc);

    public string ErrorName(int error) => Marshal.PtrToStringUTF8(LibNvrtc.GetErrorString(error))!;

    public int Version(out int major, out int minor) => LibNvrtc.Version(out major, out minor);

    public int CreateProgram(out nint program, KernelSource source) => LibNvrtc.CreateProgram(
        out program, source.Text, source.Name, source.Headers.Length, [.. source.Headers.Select(h => h.Text)], [.. source.Headers.Select(h => h.Name)]);

    public int CompileProgram(nint program, string[] options) => LibNvrtc.CompileProgram(program, options.Length, options);

    public int GetLog(nint program, out string log)
    {
        log = "";
        int result = LibNvrtc.GetProgramLogSize(program, out nuint bytes);
        if (result != 0)
        {
            return result;
        }

        var text = new byte[(int)bytes];
        fixed (byte* pointer = text)
        {
            result = LibNvrtc.GetProgramLog(program, pointer);
        }

        log = Encoding.UTF8.GetString(text).TrimEnd('\0');
        return result;
    }

    public int GetCubin(nint program, out byte[] cubin)
    {
        cubin = [];
        int result = LibNvrtc.GetCubinSize(program, out nuint bytes);
        if (result != 0)
        {
            return result;
        }

        cubin = new byte[(int)bytes];
        fixed (byte* pointer = cubin)
        {
            return LibNvrtc.GetCubin(program, pointer);
        }
    }

    public int DestroyProgram(nint program) => LibNvrtc.DestroyProgram(ref program);
}
