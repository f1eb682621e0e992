using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Gemm;
using ModelCompiler.Cuda.Tests.Mocks;
using ModelCompiler.Planning;

namespace ModelCompiler.Cuda.Tests.Gemm;

/// <summary>What cuBLASLt is told, that it is told once, and what a user is told where it fails. What is computed is the conformance suite's.</summary>
public sealed class MatrixProductsTests
{
    private const long Workspace = 1 << 20;

    private static readonly Product Shape = new(true, false, 6, 4, 5, DType.BFloat16, DType.Float32, 5, 5, 6, 8, false, 256, 16, 8, 2);

    [Fact]
    public void AsksForAnAlgorithmOnce()
    {
        var library = new MockMatrixLibrary();
        using (CudaContext context = CudaContext.Open(new MockDriver(), 0))
        {
            using var products = new MatrixProducts(context, library);
            int number = products.Number(Shape, Workspace);
            Assert.Equal(1, library.Heuristics);
            Assert.Equal(number, products.Number(Shape, Workspace));
            Assert.Equal(1, library.Heuristics);
            Assert.NotEqual(number, products.Number(Shape with { AlignmentD = 4 }, Workspace));
            Assert.Equal(2, library.Heuristics);
        }

        Assert.Equal(0, library.Live);
        Assert.Equal([0x55], library.Destroyed);
    }

    /// <summary>A descriptor and four layouts; the preference lives as long as the question.</summary>
    [Fact]
    public void KeepsNoPreference()
    {
        var library = new MockMatrixLibrary();
        using CudaContext context = CudaContext.Open(new MockDriver(), 0);
        using var products = new MatrixProducts(context, library);
        products.Number(Shape, Workspace);
        Assert.Equal(5, library.Live);
    }

    [Theory]
    [InlineData("cublasLtMatrixLayoutCreate")]
    [InlineData("cublasLtMatmulPreferenceCreate")]
    public void AFailureIsNamedAndLeavesNothing(string call)
    {
        var library = new MockMatrixLibrary { Failing = { [call] = 7 } };
        using CudaContext context = CudaContext.Open(new MockDriver(), 0);
        using var products = new MatrixProducts(context, library);
        CudaException error = Assert.Throws<CudaException>(() => products.Number(Shape, Workspace));
        Assert.Equal((call, "CUBLAS_STATUS_INVALID_VALUE", 7), (error.Call, error.Error, error.Code));
        Assert.Equal(0, library.Live);
    }

    [Fact]
    public void AShapeWithoutAlgorithmIsSaid()
    {
        var library = new MockMatrixLibrary { HasAlgorithms = false };
        using CudaContext context = CudaContext.Open(new MockDriver(), 0);
        using var products = new MatrixProducts(context, library);
        CudaException error = Assert.Throws<CudaException>(() => products.Number(Shape, Workspace));
        Assert.Contains("Rows = 6, Columns = 4, Depth = 5, Operands = BFloat16, Result = Float32", error.Message);
        Assert.Equal(0, library.Live);
    }

    [Fact]
    public void AFailedProductIsNamed()
    {
        var library = new MockMatrixLibrary { Failing = { ["cublasLtMatmul"] = 13 } };
        using CudaContext context = CudaContext.Open(new MockDriver(), 0);
        using var products = new MatrixProducts(context, library);
        using CudaStream stream = CudaStream.Create(context);
        int number = products.Number(Shape, Workspace);
        Assert.Equal("cublasLtMatmul failed: cuBLAS status 13 (13).", Assert.Throws<CudaException>(
            () => products.Multiply(new ProductCall(number, 0, 0, 0, 0, 0, 1, 0, 0, Workspace), stream)).Message);
    }

    [Theory]
    [InlineData(0x1000, 256)]
    [InlineData(0x1010, 16)]
    [InlineData(0x1002, 2)]
    [InlineData(0x1003, 1)]
    public void TheAlignmentOfAnAddressIsItsGreatestPowerOfTwoUpTo256(int address, int expected) => Assert.Equal(expected, Product.AlignmentOf(address));
}
