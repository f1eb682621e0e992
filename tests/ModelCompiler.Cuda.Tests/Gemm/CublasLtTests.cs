using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Tests.Gemm;

/// <summary>The installed cuBLASLt takes the attributes as they are numbered and sized here; for that it needs no GPU.</summary>
public sealed class CublasLtTests
{
    [Fact]
    public void TakesWhatItIsTold()
    {
        NativeCublasLt library = NativeCublasLt.Instance;
        Assert.SkipUnless(library.IsPresent, $"cuBLASLt is not here: install the toolkit, or name its folder in {LibraryNames.FolderVariable}.");
        Assert.Equal(0, library.DescriptorCreate(out nint descriptor));
        Assert.Equal(0, library.DescriptorSet(descriptor, MatmulAttribute.TransposeA, 1));
        Assert.Equal(0, library.DescriptorSet(descriptor, MatmulAttribute.TransposeB, 1));
        Assert.Equal(0, library.DescriptorSet(descriptor, MatmulAttribute.Epilogue, (long)MatmulEpilogue.Bias));
        Assert.Equal(0, library.DescriptorSet(descriptor, MatmulAttribute.BiasPointer, 0x1000));
        Assert.Equal(0, library.DescriptorDestroy(descriptor));

        Assert.Equal(0, library.LayoutCreate(out nint layout, CudaDataType.BFloat16, 16, 8, 16));
        Assert.Equal(0, library.LayoutDestroy(layout));

        Assert.Equal(0, library.PreferenceCreate(out nint preference));
        Assert.All(Enum.GetValues<PreferenceAttribute>(), attribute => Assert.Equal(0, library.PreferenceSet(preference, attribute, 256)));
        Assert.Equal(0, library.PreferenceDestroy(preference));
        Assert.Equal("CUBLAS_STATUS_INVALID_VALUE", library.ErrorName(7));
    }
}
