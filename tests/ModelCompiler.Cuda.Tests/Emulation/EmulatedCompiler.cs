using System.Reflection;
using System.Text.RegularExpressions;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Kernels;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>An NVRTC that compiles kernels for the host, their threads as fibers: its cubin is a shared library.</summary>
internal sealed partial class EmulatedCompiler : IRuntimeCompiler
{
    private readonly Dictionary<nint, (KernelSource Source, byte[] Library)> programs = [];
    private nint next = 1;

    public bool IsPresent => true;

    public string ErrorName(int error) => $"NVRTC error {error}";

    public int Version(out int major, out int minor)
    {
        (major, minor) = (12, 0);
        return 0;
    }

    public int CreateProgram(out nint program, KernelSource source)
    {
        program = next++;
        programs.Add(program, (source, []));
        return 0;
    }

    public int CompileProgram(nint program, string[] options)
    {
        KernelSource source = programs[program].Source;
        string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;
        try
        {
            foreach (KernelHeader header in source.Headers)
            {
                File.WriteAllText(Path.Combine(folder, header.Name), header.Text);
            }

            File.WriteAllText(Path.Combine(folder, "device.cuh"), Resource("device.h"));
            File.WriteAllText(Path.Combine(folder, "mma.cuh"), Resource("mma.h"));
            File.WriteAllText(Path.Combine(folder, "launch.h"), Resource("launch.h"));
            IEnumerable<string> kernels = KernelNames().Matches(source.Text).Select(match => $"EMULATE({match.Groups[1].Value})");
            File.WriteAllText(Path.Combine(folder, "unit.cpp"), $"#include \"launch.h\"\n{source.Text}\n{string.Join('\n', kernels)}\n");
            string[] definitions = [.. options.Where(option => option.StartsWith("-D", StringComparison.Ordinal))];
            Clang.Run(
                folder,
                ["-x", "c++", "-shared", "-fPIC", "-O1", "-march=native", "-fno-strict-aliasing", "-fno-builtin", .. definitions, "unit.cpp", "-o", "kernels.so", "-lm"]);
            programs[program] = (source, File.ReadAllBytes(Path.Combine(folder, "kernels.so")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    public int GetLog(nint program, out string log)
    {
        log = "";
        return 0;
    }

    public int GetCubin(nint program, out byte[] cubin)
    {
        cubin = programs[program].Library;
        return 0;
    }

    public int DestroyProgram(nint program) => programs.Remove(program) ? 0 : 1;

    private static string Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"^KERNEL (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex KernelNames();
}
