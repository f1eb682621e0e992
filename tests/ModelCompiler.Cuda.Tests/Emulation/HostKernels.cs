using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Tests.Kernels;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>The kernels compiled for the host, whose threads are emulated: device addresses are host addresses.</summary>
internal sealed unsafe partial class HostKernels : IKernelLauncher, IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("modelcompiler-test-").FullName;
    private readonly nint library;

    public HostKernels(KernelTypes types)
    {
        foreach (KernelHeader header in KernelSource.Embedded(KernelSource.Operations[0]).Headers)
        {
            Write(header.Name, header.Text);
        }

        Write("device.cuh", Resource("device.h"));
        Write("launch.h", Resource("launch.h"));
        var unit = new List<string> { "#include \"launch.h\"" };
        foreach (string operation in KernelSource.Operations)
        {
            KernelSource source = KernelSource.Embedded(operation);
            Write(source.Name, source.Text);
            unit.Add($"#include \"{source.Name}\"");
            unit.AddRange(KernelNames().Matches(source.Text).Select(match => $"EMULATE({match.Groups[1].Value})"));
        }

        Write("unit.cpp", string.Join('\n', unit) + "\n");
        Clang.Run(
            folder,
            ["-x", "c++", "-shared", "-fPIC", "-O1", "-march=native", "-fno-strict-aliasing", "-fno-builtin", .. types.Definitions, "unit.cpp", "-o", "kernels.so", "-lm"]);
        library = NativeLibrary.Load(Path.Combine(folder, "kernels.so"));
    }

    /// <summary>Whether threads run from the last to the first.</summary>
    public bool Backwards { get; set; }

    /// <summary>The emulated kernel of a name.</summary>
    public nint Function(string name) => NativeLibrary.GetExport(library, $"emulate_{name}");

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        // Device alignment of the buffer, which a byte array does not have.
        byte* packed = stackalloc byte[arguments.Length + 16];
        packed = (byte*)(((nint)packed + 15) / 16 * 16);
        arguments.CopyTo(new Span<byte>(packed, arguments.Length));
        LaunchGeometry launch = geometry;
        bool met = ((delegate* unmanaged<LaunchGeometry*, byte, byte*, byte>)function)(&launch, Backwards ? (byte)1 : (byte)0, packed) != 0;
        Assert.True(met, "Threads of a warp came to different barriers or shuffles.");
    }

    public void Dispose()
    {
        NativeLibrary.Free(library);
        Directory.Delete(folder, recursive: true);
    }

    private static string Resource(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, name), text);

    [GeneratedRegex(@"^KERNEL (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex KernelNames();
}
