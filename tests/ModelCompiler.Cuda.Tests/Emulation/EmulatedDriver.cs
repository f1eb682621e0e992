using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Mocks;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>A driver whose modules are <see cref="EmulatedCompiler"/>'s libraries and whose launches run them, each to its end, when they are made.</summary>
internal sealed unsafe class EmulatedDriver : MockDriver
{
    private readonly Dictionary<nint, nint> libraries = [];
    private readonly Dictionary<nint, string> names = [];

    /// <summary>Whether the threads of a block run from the last to the first.</summary>
    public bool Backwards { get; set; }

    /// <summary>The names of all kernels that ran.</summary>
    public HashSet<string> Kernels { get; } = [];

    /// <summary>Kernels started, or recorded, by a call of their own.</summary>
    public int Started { get; private set; }

    public override int ModuleLoadData(out nint module, ReadOnlySpan<byte> image)
    {
        int result = base.ModuleLoadData(out module, image);
        string file = Path.Combine(Path.GetTempPath(), $"modelcompiler-test-{Guid.NewGuid():N}.so");
        File.WriteAllBytes(file, image);
        libraries.Add(module, NativeLibrary.Load(file));

        // Mapped, it needs no name any more.
        File.Delete(file);
        return result;
    }

    public override int ModuleUnload(nint module)
    {
        NativeLibrary.Free(libraries[module]);
        libraries.Remove(module);
        return base.ModuleUnload(module);
    }

    public override int ModuleGetFunction(out nint function, nint module, string name)
    {
        bool found = NativeLibrary.TryGetExport(libraries[module], $"emulate_{name}", out function);
        names[function] = name;
        return found ? 0 : 500;
    }

    public override int LaunchKernel(nint function, in LaunchGeometry geometry, nint stream, ReadOnlySpan<byte> arguments)
    {
        Started++;
        byte[] copy = arguments.ToArray();
        LaunchGeometry launch = geometry;
        return Do(() => Run(function, launch, copy));
    }

    private int Run(nint function, LaunchGeometry geometry, byte[] arguments)
    {
        // Device alignment of the buffer, which a byte array does not have.
        byte* packed = stackalloc byte[arguments.Length + 16];
        packed = (byte*)(((nint)packed + 15) / 16 * 16);
        arguments.CopyTo(new Span<byte>(packed, arguments.Length));
        bool met = ((delegate* unmanaged<LaunchGeometry*, byte, byte*, byte>)function)(&geometry, Backwards ? (byte)1 : (byte)0, packed) != 0;
        Assert.True(met, $"{names[function]}: threads of a warp came to different barriers or shuffles.");
        RequireGuards(names[function]);
        Kernels.Add(names[function]);
        return 0;
    }
}
