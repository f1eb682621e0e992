using System.Text.RegularExpressions;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Driver;

namespace ModelCompiler.Cuda.Launch;

/// <summary>The kernels of a context: compiled and loaded when they are first asked for, each source once for each combination of types.</summary>
internal sealed partial class KernelLibrary(CudaContext context, KernelCompiler compiler) : IDisposable
{
    private static readonly Lazy<Dictionary<string, string>> Sources = new(() => KernelSource.Operations
        .SelectMany(operation => KernelNames().Matches(KernelSource.Embedded(operation).Text).Select(match => (Kernel: match.Groups[1].Value, Operation: operation)))
        .ToDictionary(pair => pair.Kernel, pair => pair.Operation));

    private readonly Dictionary<(string Operation, KernelTypes Types), CudaModule> _modules = [];
    private readonly Dictionary<(string Kernel, KernelTypes Types), nint> _functions = [];

    /// <summary>The CUfunction of a kernel.</summary>
    /// <exception cref="CudaException">It does not compile or load.</exception>
    public nint Function(string kernel, KernelTypes types)
    {
        if (!_functions.TryGetValue((kernel, types), out nint function))
        {
            function = Module(Sources.Value[kernel], types).Function(kernel);
            _functions.Add((kernel, types), function);
        }

        return function;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (CudaModule module in _modules.Values)
        {
            module.Dispose();
        }
    }

    private CudaModule Module(string operation, KernelTypes types)
    {
        if (!_modules.TryGetValue((operation, types), out CudaModule? module))
        {
            module = CudaModule.Load(context, compiler.Compile(KernelSource.Embedded(operation), types, context.Device.Architecture));
            _modules.Add((operation, types), module);
        }

        return module;
    }

    [GeneratedRegex(@"^KERNEL (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex KernelNames();
}
