using ModelCompiler.Backends;
using ModelCompiler.Cuda.Compilation;
using ModelCompiler.Cuda.Launch;
using ModelCompiler.Cuda.Native;
using ModelCompiler.Cuda.Tests.Kernels;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>
/// The emulated tensor-core instructions against the PTX ISA's own formulas for the elements of a lane: rows and columns by groupID and
/// threadID_in_group, "Matrix fragments for mma.m16n8k16 with floating point type" and "ldmatrix".
/// </summary>
public sealed class FragmentTests
{
    private const string Source = """
        #include "mma.cuh"

        KERNEL product(const u16* a, const u16* b, float* d)
        {
            int group = threadIndex() / 4;
            int inGroup = threadIndex() % 4;
            u32 left[4] = {};
            for (int i = 0; i < 8; i++)
            {
                int row = i < 2 || (i >= 4 && i < 6) ? group : group + 8;
                int column = inGroup * 2 + (i & 1) + (i < 4 ? 0 : 8);
                left[i / 2] |= (u32)a[row * 16 + column] << 16 * (i & 1);
            }

            u32 right[2] = {};
            for (int i = 0; i < 4; i++)
            {
                int row = inGroup * 2 + (i & 1) + (i < 2 ? 0 : 8);
                right[i / 2] |= (u32)b[row * 8 + group] << 16 * (i & 1);
            }

            float sums[4] = {1, 1, 1, 1};
            multiplyMatrices(sums, left, right[0], right[1]);
            for (int i = 0; i < 4; i++)
            {
                d[(i < 2 ? group : group + 8) * 8 + inGroup * 2 + (i & 1)] = sums[i];
            }
        }

        KERNEL matrices(const u16* rows, u32* plain, u32* transposed)
        {
            u32 words[4];
            loadMatrices(words, sharedAddress(rows + threadIndex() * 8));
            for (int i = 0; i < 4; i++)
            {
                plain[threadIndex() * 4 + i] = words[i];
            }

            loadMatricesTransposed(words, sharedAddress(rows + threadIndex() * 8));
            for (int i = 0; i < 4; i++)
            {
                transposed[threadIndex() * 4 + i] = words[i];
            }
        }
        """;

    [Theory]
    [InlineData(7, 5)]
    [InlineData(10, 3)]
    public unsafe void AProductOfFragmentsIsTheProduct(int stepOfA, int stepOfB)
    {
        HostClang.Require();
        // Small whole numbers, whose products and sums are exact.
        float[] a = [.. Enumerable.Range(0, 16 * 16).Select(i => (float)(i * stepOfA % 23 - 11))];
        float[] b = [.. Enumerable.Range(0, 16 * 8).Select(i => (float)(i * stepOfB % 19 - 9))];
        ushort[] left = [.. a.Select(HostTransfer.ToBFloat16)];
        ushort[] right = [.. b.Select(HostTransfer.ToBFloat16)];
        var d = new float[16 * 8];
        fixed (ushort* pa = left, pb = right)
        {
            fixed (float* pd = d)
            {
                Run("product", (nint)pa, (nint)pb, (nint)pd);
            }
        }

        for (int i = 0; i < d.Length; i++)
        {
            Assert.Equal(1 + Enumerable.Range(0, 16).Sum(k => a[i / 8 * 16 + k] * b[k * 8 + i % 8]), d[i]);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public unsafe void MatricesAreLoadedByRowsOrByColumns(bool transposed)
    {
        HostClang.Require();
        ushort[] rows = [.. Enumerable.Range(0, 4 * 8 * 8).Select(i => (ushort)i)];
        var words = new uint[2, 32 * 4];
        fixed (ushort* source = rows)
        {
            fixed (uint* plain = &words[0, 0], columns = &words[1, 0])
            {
                Run("matrices", (nint)source, (nint)plain, (nint)columns);
            }
        }

        for (int i = 0; i < 32 * 4; i++)
        {
            (int lane, int matrix) = (i / 4, i % 4);
            uint At(int group, int element) => rows[matrix * 64 + (transposed ? element * 8 + group : group * 8 + element)];
            Assert.Equal(At(lane / 4, lane % 4 * 2) | At(lane / 4, lane % 4 * 2 + 1) << 16, words[transposed ? 1 : 0, i]);
        }
    }

    /// <summary>One warp over three addresses of this process.</summary>
    private static void Run(string kernel, nint first, nint second, nint third)
    {
        var compiler = new EmulatedCompiler();
        compiler.CreateProgram(out nint program, new KernelSource("fragments.cu", Source, KernelSource.Embedded("attention").Headers));
        compiler.CompileProgram(program, [.. new KernelTypes(Planning.DType.BFloat16, Planning.DType.BFloat16).Definitions]);
        compiler.GetCubin(program, out byte[] library);
        var driver = new EmulatedDriver();
        driver.ModuleLoadData(out nint module, library);
        driver.ModuleGetFunction(out nint function, module, kernel);
        driver.LaunchKernel(function, new LaunchGeometry(1, BlockX: 32), 0, new KernelArguments().Add(first).Add(second).Add(third).Bytes);
        driver.ModuleUnload(module);
    }
}
