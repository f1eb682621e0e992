using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>The element types that a kernel is compiled for, as constants of its source.</summary>
/// <param name="Activation">Type of activations and their gradients: Float32 or BFloat16.</param>
/// <param name="Weight">Type of weights that are not quantized: Float32 or BFloat16.</param>
/// <param name="HeadWidth">Columns of a head of attention, which its tiles are made for; 0 for every other kernel.</param>
public readonly record struct KernelTypes(DType Activation, DType Weight, int HeadWidth = 0)
{
    /// <summary>Definitions for the compiler.</summary>
    /// <exception cref="ArgumentException">A type is neither Float32 nor BFloat16.</exception>
    public string[] Definitions =>
    [
        $"-DACTIVATION_IS_BF16={IsBFloat16(Activation)}", $"-DWEIGHT_IS_BF16={IsBFloat16(Weight)}", .. HeadWidth == 0 ? (string[])[] : [$"-DHEAD_WIDTH={HeadWidth}"],
    ];

    private static int IsBFloat16(DType type) => type switch
    {
        DType.Float32 => 0,
        DType.BFloat16 => 1,
        _ => throw new ArgumentException($"Kernels compute with Float32 and BFloat16, not with {type}."),
    };
}
