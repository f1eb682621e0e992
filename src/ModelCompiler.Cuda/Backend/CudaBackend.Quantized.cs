using ModelCompiler.Cuda.Launch;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda;

/// <content>Quantized weights.</content>
public sealed unsafe partial class CudaBackend
{
    /// <summary>RunLength · Runs of dequantize.cuh.</summary>
    internal const int DecodedByThread = 32;

    /// <summary>Most rows of x in gemv.cuh.</summary>
    private const int GemvRows = 8;

    /// <summary>Most rows of x in nf4_gemm.cu.</summary>
    private const int GemmRows = 64;

    /// <summary>ChunkLength of nf4_gemm.cu.</summary>
    private const int GemmChunk = 64;

    /// <summary>Pieces · ChunkLength of nf4_gemm.cu: what a warp reads at once.</summary>
    private const int LeastGemmInputs = 256;

    /// <summary>Blocks of nf4_gemm.cu that one multiprocessor's shared memory and registers hold; each makes its table once.</summary>
    private const int GemmBlocksOfMultiprocessor = 3;

    private static readonly string[] Nf4Gemv = ["nf4_gemv_1", "nf4_gemv_2", "nf4_gemv_4", "nf4_gemv_8"];
    private static readonly string[] Int8Gemv = ["int8_gemv_1", "int8_gemv_2", "int8_gemv_4", "int8_gemv_8"];
    private static readonly string[] Int4Gemv = ["int4_gemv_1", "int4_gemv_2", "int4_gemv_4", "int4_gemv_8"];

    /// <summary>The elements of a quantized weight, row after row without gaps.</summary>
    /// <param name="weight">The weight, [rows, columns].</param>
    /// <param name="y">As many elements, Float32 or bfloat16.</param>
    internal void Decode(Tensor weight, Tensor y)
    {
        string kernel = weight.Type.Kind() switch
        {
            DType.NF4 => "nf4_dequantize",
            DType.Int8 => "int8_dequantize",
            DType.Int4 => "int4_dequantize",
            _ => throw new NotSupportedException($"a GPU has no kernels for weights stored as {weight.Type.Kind()}"),
        };
        long threads = (weight.Count + DecodedByThread - 1) / DecodedByThread;
        KernelArguments packed = Pack().Add(Quantized(weight)).Add(Address(y));
        Launch(kernel, checked((int)((threads + _threads - 1) / _threads)), 1, _threads, packed, y.Type);
    }

    /// <summary>y = scale · (x wᵀ + bias) + plus without decoding w to memory, where a kernel does that.</summary>
    /// <returns>Whether one does.</returns>
    private bool MultiplyQuantized(Tensor x, Tensor w, Tensor y, Tensor bias, Tensor addend, float scale)
    {
        bool onTensorCores = w.Type.Kind() == DType.NF4 && x.Type == DType.BFloat16 && w.Type.BlockSize() >= GemmChunk
            && w.Columns % GemmChunk == 0 && w.Columns >= LeastGemmInputs && IsAligned(x);
        if (!w.Type.IsQuantized() || x.Rows > (onTensorCores ? GemmRows : GemvRows) || x.Type != y.Type || (!addend.IsNone && addend.Type != y.Type))
        {
            return false;
        }

        KernelArguments packed = Pack().Add(Quantized(w));
        foreach (Tensor tensor in (ReadOnlySpan<Tensor>)[x, bias, addend, y])
        {
            packed.Add(Address(tensor)).Add((long)tensor.Stride);
        }

        packed.Add(x.Rows).Add(y.Columns).Add(x.Columns).Add(scale);
        (string kernel, int outputs) = onTensorCores ? Gemm(x.Rows) : (Gemv(w.Type.Kind(), x.Rows), _threads / WarpSize);
        int blocks = (y.Columns + outputs - 1) / outputs;
        blocks = onTensorCores ? Math.Min(blocks, GemmBlocksOfMultiprocessor * Device.Multiprocessors) : blocks;
        Launch(kernel, blocks, 1, _threads, packed, x.Type, bias.IsNone ? x.Type : bias.Type);
        return true;
    }

    /// <summary>A kernel of gemv.cuh for so many rows of x.</summary>
    private static string Gemv(DType kind, int rows)
    {
        int power = rows switch
        {
            1 => 0,
            2 => 1,
            <= 4 => 2,
            _ => 3,
        };
        return kind switch
        {
            DType.NF4 => Nf4Gemv[power],
            DType.Int8 => Int8Gemv[power],
            DType.Int4 => Int4Gemv[power],
            _ => throw new NotSupportedException($"a GPU has no kernels for weights stored as {kind}"),
        };
    }

    /// <summary>A kernel of nf4_gemm.cu and the outputs that a block has at once.</summary>
    private static (string Kernel, int Outputs) Gemm(int rows) => rows switch
    {
        <= 8 => ("nf4_gemm_8", 16),
        <= 16 => ("nf4_gemm_16", 32),
        <= 32 => ("nf4_gemm_32", 32),
        _ => ("nf4_gemm_64", 32),
    };

    /// <summary>Whether every row starts at a multiple of 16 bytes.</summary>
    private bool IsAligned(Tensor x) => (Address(x) | (nint)x.Stride * x.Type.Size()) % 16 == 0;

    private QuantizedWeight Quantized(Tensor weight) => new(weight, Address(weight), Constant(SignedMapAt));
}
