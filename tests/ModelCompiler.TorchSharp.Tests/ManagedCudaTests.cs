using System.Runtime.InteropServices;
using ModelCompiler.Cuda;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Reference;

namespace ModelCompiler.Torch.Tests;

/// <summary>The decoding kernels launched by ManagedCuda.</summary>
public class ManagedCudaTests
{
    [Theory]
    [InlineData(DType.NF4, 64, true)]
    [InlineData(DType.NF4, 32, false)]
    [InlineData(DType.Int8, 64, false)]
    [InlineData(DType.Int4, 32, false)]
    public void Decoded_weights_are_References(DType kind, int block, bool nested)
    {
        RequireGpu();
        DType type = DTypeExtensions.Quantized(kind, block, nested);
        const int Rows = 37, Columns = 96;
        var random = new Random(3);
        double[] written = [.. Enumerable.Range(0, Rows * Columns).Select(_ => random.NextDouble() - 0.5)];
        var weight = new Tensor(0, Rows, Columns, Columns, type);
        using var reference = new ReferenceBackend();
        reference.Allocate(1 << 16);
        reference.Write(weight, written);
        var expected = new float[written.Length];
        reference.Read(weight, expected);
        var bytes = new byte[weight.Bytes.Columns];
        reference.Read(weight.Bytes, bytes);

        using CudaContext context = CudaContext.Open();
        using CudaStream stream = CudaStream.Create(context);
        using var launcher = new ManagedCudaLauncher();
        using var kernels = new QuantizedKernels(CudaContext.Open(), launcher);
        using DeviceMemory packed = DeviceMemory.Allocate(context, bytes.Length), map = DeviceMemory.Allocate(context, 1024), values = DeviceMemory.Allocate(context, 4 * expected.Length);
        stream.CopyToDevice(bytes, packed, 0);
        stream.CopyToDevice(MemoryMarshal.AsBytes(DynamicMap.Signed.Values), map, 0);
        kernels.Decode(weight, packed.Address(0, bytes.Length), map.Address(0, 1024), values.Address(0, 4 * expected.Length), DType.Float32);
        launcher.Synchronize();
        var decoded = new float[expected.Length];
        stream.CopyToHost(values, 0, MemoryMarshal.AsBytes(decoded.AsSpan()));

        Assert.Equal(expected, decoded);
    }

    private static void RequireGpu()
    {
        try
        {
            CudaBackend.Open().Dispose();
        }
        catch (CudaUnavailableException missing)
        {
            Assert.Skip(missing.Message);
        }
    }
}
