namespace ModelCompiler.Cuda.Driver;

/// <summary>Compiled kernels, loaded onto a device.</summary>
public sealed class CudaModule : CudaResource
{
    private CudaModule(CudaContext context, nint module)
        : base(context, module)
    {
    }

    /// <summary>Loads a cubin.</summary>
    /// <param name="context">Context of a device of the cubin's architecture.</param>
    /// <param name="image">The cubin.</param>
    /// <exception cref="CudaException">It is not one for this device.</exception>
    public static CudaModule Load(CudaContext context, ReadOnlySpan<byte> image)
    {
        ArgumentNullException.ThrowIfNull(context);
        context.MakeCurrent();
        context.Driver.Check(context.Driver.ModuleLoadData(out nint module, image), "cuModuleLoadData");
        return new CudaModule(context, module);
    }

    /// <summary>The CUfunction of a kernel, valid while the module lives: what an <see cref="IKernelLauncher"/> takes.</summary>
    /// <exception cref="CudaException">The module has no such kernel.</exception>
    public nint Function(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        Driver.Check(Driver.ModuleGetFunction(out nint function, Use(), name), $"cuModuleGetFunction(\"{name}\")");
        return function;
    }

    private protected override int Free() => Driver.ModuleUnload(handle);
}
