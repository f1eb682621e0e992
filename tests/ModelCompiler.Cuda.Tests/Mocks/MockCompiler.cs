using System.Text;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Tests.Mocks;

/// <summary>An NVRTC whose cubin is a text of what it was given, and which counts compilations and programs that were not destroyed.</summary>
internal sealed class MockCompiler : IRuntimeCompiler
{
    private readonly Dictionary<nint, string> programs = [];
    private readonly Dictionary<nint, string> cubins = [];
    private nint next = 1;

    public bool IsPresent { get; init; } = true;

    public int Minor { get; init; } = 4;

    public int Compilations { get; private set; }

    public int Programs => programs.Count;

    public Dictionary<string, int> Failing { get; } = [];

    public string ErrorName(int error) => error == 6 ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_INTERNAL_ERROR";

    public int Version(out int major, out int minor)
    {
        (major, minor) = (12, Minor);
        return Failing.GetValueOrDefault("nvrtcVersion");
    }

    public int CreateProgram(out nint program, KernelSource source)
    {
        program = next++;
        int result = Failing.GetValueOrDefault("nvrtcCreateProgram");
        if (result == 0)
        {
            programs[program] = source.Text;
        }

        return result;
    }

    public int CompileProgram(nint program, string[] options)
    {
        Compilations++;
        cubins[program] = $"{programs[program]} {string.Join(' ', options)}";
        return Failing.GetValueOrDefault("nvrtcCompileProgram");
    }

    public int GetLog(nint program, out string log)
    {
        log = "kernel.cu(3): error: identifier \"flaot\" is undefined\n";
        return Failing.GetValueOrDefault("nvrtcGetProgramLog");
    }

    public int GetCubin(nint program, out byte[] cubin)
    {
        cubin = Encoding.UTF8.GetBytes(cubins[program]);
        return Failing.GetValueOrDefault("nvrtcGetCUBIN");
    }

    public int DestroyProgram(nint program) => programs.Remove(program) ? 0 : 1;
}
