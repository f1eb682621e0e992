using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Benchmarks;

/// <summary>A CPU backend with room for tensors of random values, padded as a plan pads them.</summary>
internal sealed class KernelRig : IDisposable
{
    private readonly Random random = new(1);
    private long used;

    public KernelRig(int threads, long bytes = 256L << 20)
    {
        Backend = new CpuBackend(threads);
        long workspace = Backend.Profile.Workspace;
        Backend.Allocate(bytes + workspace);
        Backend.UseWorkspace(bytes, workspace);
    }

    public CpuBackend Backend { get; }

    public Tensor Tensor(int rows, int columns, DType type = DType.Float32)
    {
        var tensor = new Tensor(used, rows, columns, Backend.Profile.RowStride(columns, type), type);
        used = Backend.Profile.Align(tensor.End);
        var values = new float[tensor.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = (float)(random.NextDouble() - 0.5);
        }

        Backend.Write(tensor, values);
        return tensor;
    }

    /// <summary>Uninitialized bytes.</summary>
    public Tensor Bytes(long bytes)
    {
        var tensor = new Tensor(used, 1, checked((int)bytes), checked((int)bytes), DType.UInt8);
        used = Backend.Profile.Align(tensor.End);
        return tensor;
    }

    /// <summary>Forgets the tensors; their memory is used again.</summary>
    public void Clear() => used = 0;

    public void Dispose() => Backend.Dispose();
}
