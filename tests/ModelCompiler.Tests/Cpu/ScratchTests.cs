using ModelCompiler.Backends;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Backends.Cpu.Gemm;
using ModelCompiler.Operations;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Cpu;

/// <summary>
/// Threads get twice the scratch of the profile; the second half must stay as it was, whatever the shapes. And a shape must not change
/// its result with the amount of scratch or from run to run.
/// </summary>
public sealed class ScratchTests : IDisposable
{
    private const int Threads = 2;
    private const float Untouched = 12345.5f;
    private readonly CpuBackend backend = new(Threads);
    private readonly long workspace;
    private readonly Random random = new(3);
    private long used;

    public ScratchTests()
    {
        workspace = 2 * backend.Profile.Workspace;
        backend.Allocate(workspace + (64 << 20));
        backend.UseWorkspace(0, workspace);
        used = workspace;
    }

    public void Dispose() => backend.Dispose();

    [Theory]
    [InlineData(8)]
    [InlineData(33)]
    [InlineData(64)]
    [InlineData(128)]
    [InlineData(500)]
    public void AttentionStaysInItsScratch(int width)
    {
        const int Rows = 700;
        Tensor q = Filled(Rows, 2 * width), k = Filled(Rows, width), v = Filled(Rows, width), dO = Filled(Rows, 2 * width);
        Tensor o = Filled(Rows, 2 * width), logSumExp = Filled(Rows, 2), dq = Filled(Rows, 2 * width), dk = Filled(Rows, width), dv = Filled(Rows, width);
        backend.BeginStep(new Step(1, Rows));
        Check(o, () => backend.Attention(q, k, v, o, logSumExp, new AttentionShape(2, 1, q.Columns / 2)));
        Check(dq, () => backend.AttentionGradient(dO, q, k, v, o, logSumExp, dq, dk, dv, new AttentionShape(2, 1, q.Columns / 2)));
    }

    [Theory]
    [InlineData(100, 300, 1300, 300)]
    [InlineData(40, 1000, 520, 500)]
    [InlineData(8, 500, 1100, 64)]
    [InlineData(130, 24, 2100, 4)]
    public void ProductsStayInTheirScratch(int rows, int outputs, int inputs, int rank)
    {
        Tensor x = Filled(rows, inputs), w = Filled(outputs, inputs), h = Filled(rows, rank), b = Filled(outputs, rank), a = Filled(rank, inputs);
        Tensor y = Filled(rows, outputs), dx = Filled(rows, inputs), bias = Filled(1, outputs), gradient = Filled(outputs, inputs), dB = Filled(outputs, rank);
        Check(y, () => backend.LowRankLinear(x, w, h, b, y, 2, bias));
        Check(dx, () => backend.LowRankLinearGradientInput(y, w, h, a, dx));
        Check(y, () => backend.Linear(x, w, y, bias));
        backend.Zero(gradient);
        backend.Zero(dB);
        backend.LinearGradientWeight(y, x, gradient);
        backend.LinearGradientWeight(y, h, dB);
        Assert.Equal(-1, FirstTouched());
    }

    [Fact]
    public void TheProfileCoversWhatProductsNeed()
    {
        Assert.InRange(MatrixProduct.ScratchBytes, 1, backend.Profile.ScratchPerThread);
        Assert.InRange(SkinnyProduct.ScratchBytes, 1, backend.Profile.ScratchPerThread);
    }

    [Fact]
    public void ALowRankAboveOneBlockAgreesWithPlainLoops()
    {
        const int Rows = 15, Inputs = 1100, Outputs = 75, Rank = 300;
        Tensor x = Filled(Rows, Inputs), w = Filled(Outputs, Inputs), h = Filled(Rows, Rank), b = Filled(Outputs, Rank), y = Filled(Rows, Outputs), plus = Filled(Rows, Outputs);
        backend.LowRankLinear(x, w, h, b, y, 0.5f, default, plus);
        float[] xs = Read(x), ws = Read(w), hs = Read(h), bs = Read(b), ys = Read(y), starts = Read(plus);
        for (int t = 0; t < Rows; t++)
        {
            for (int n = 0; n < Outputs; n++)
            {
                double expected = starts[t * Outputs + n];
                for (int i = 0; i < Inputs; i++)
                {
                    expected += (double)xs[t * Inputs + i] * ws[n * Inputs + i];
                }

                for (int i = 0; i < Rank; i++)
                {
                    expected += 0.5 * hs[t * Rank + i] * bs[n * Rank + i];
                }

                Assert.Equal(expected, ys[t * Outputs + n], 1e-4);
            }
        }
    }

    /// <summary>Runs twice, the second time with half the scratch: the same bits, and nothing written beyond the profile's bytes.</summary>
    private void Check(Tensor result, Action kernel)
    {
        backend.UseWorkspace(0, workspace);
        backend.Write(Whole, Enumerable.Repeat(Untouched, (int)Whole.Count).ToArray());
        kernel();
        Assert.Equal(-1, FirstTouched());
        float[] first = Read(result);
        backend.UseWorkspace(0, workspace / 2);
        kernel();
        Assert.Equal(first, Read(result));
        backend.UseWorkspace(0, workspace);
        backend.Write(Whole, Enumerable.Repeat(Untouched, (int)Whole.Count).ToArray());
    }

    private Tensor Whole => new(0, 1, (int)(workspace / sizeof(float)), (int)(workspace / sizeof(float)), DType.Float32);

    private int FirstTouched()
    {
        float[] values = Read(Whole);
        int perThread = values.Length / Threads;
        int allowed = (int)(backend.Profile.ScratchPerThread / sizeof(float));
        for (int i = 0; i < values.Length; i++)
        {
            if (i % perThread >= allowed && values[i] != Untouched)
            {
                return i;
            }
        }

        return -1;
    }

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Count];
        backend.Read(tensor, values);
        return values;
    }

    private Tensor Filled(int rows, int columns)
    {
        var tensor = new Tensor(used, rows, columns, columns, DType.Float32);
        used = backend.Profile.Align(tensor.End);
        var values = new float[tensor.Count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = random.NextSingle() - 0.5f;
        }

        backend.Write(tensor, values);
        return tensor;
    }
}
