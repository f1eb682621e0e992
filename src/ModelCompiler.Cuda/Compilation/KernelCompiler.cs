using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>Compiles kernels for a device with NVRTC, or takes them from a cache.</summary>
public sealed class KernelCompiler
{
    /// <summary>
    /// Products and sums are fused only where the source says so: the same expression then has the same bits wherever it stands, and the
    /// bits that a host computes. Lambdas say nothing of where they run: they too are the device's.
    /// </summary>
    private static readonly string[] CommonOptions = ["--std=c++17", "--fmad=false", "-default-device"];

    private readonly IRuntimeCompiler _compiler;
    private readonly CubinCache _cache;
    private readonly int _major;
    private readonly int _minor;

    /// <summary>A compiler that keeps its results in a cache.</summary>
    /// <exception cref="CudaUnavailableException">NVRTC is not installed.</exception>
    /// <exception cref="CudaException">It failed.</exception>
    public KernelCompiler(CubinCache cache)
        : this(Nvrtc.Instance, cache)
    {
    }

    internal KernelCompiler(IRuntimeCompiler compiler, CubinCache cache)
    {
        ArgumentNullException.ThrowIfNull(cache);
        if (!compiler.IsPresent)
        {
            throw new CudaUnavailableException(
                "CUDA's run-time compiler is not on this machine: none of " + string.Join(", ", LibraryNames.Files(LibraryNames.Nvrtc, OperatingSystem.IsWindows()))
                + $" can be loaded. Install the CUDA toolkit 12 or 13, or name its folder in {LibraryNames.FolderVariable}.");
        }

        _compiler = compiler;
        _cache = cache;
        Check(compiler.Version(out _major, out _minor), "nvrtcVersion");
    }

    /// <summary>The cubin of a source.</summary>
    /// <param name="source">The source.</param>
    /// <param name="types">The element types that it is compiled for.</param>
    /// <param name="architecture">The device's <see cref="CudaDevice.Architecture"/>.</param>
    /// <exception cref="CudaException">It does not compile; the message has the compiler's.</exception>
    public byte[] Compile(KernelSource source, KernelTypes types, string architecture)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(architecture);
        string[] options = [.. CommonOptions, .. types.Definitions, $"--gpu-architecture={architecture}"];
        string key = CubinCache.Key(source, options, _major, _minor);
        if (_cache.Find(key) is { } kept)
        {
            return kept;
        }

        byte[] cubin = Compile(source, options);
        _cache.Keep(key, cubin);
        return cubin;
    }

    private byte[] Compile(KernelSource source, string[] options)
    {
        Check(_compiler.CreateProgram(out nint program, source), "nvrtcCreateProgram");
        try
        {
            int result = _compiler.CompileProgram(program, options);
            if (result != 0)
            {
                Check(_compiler.GetLog(program, out string log), "nvrtcGetProgramLog");
                throw new CudaException($"nvrtcCompileProgram({source.Name})", _compiler.ErrorName(result), result, log);
            }

            Check(_compiler.GetCubin(program, out byte[] cubin), "nvrtcGetCUBIN");
            return cubin;
        }
        finally
        {
            _compiler.DestroyProgram(program);
        }
    }

    private void Check(int result, string call)
    {
        if (result != 0)
        {
            throw new CudaException(call, _compiler.ErrorName(result), result);
        }
    }
}
