using ModelCompiler.Backends;
using ModelCompiler.Cuda.Tests.Kernels;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Cuda.Tests.Emulation;

/// <summary>Copies and the epilogue of a matrix product, which the conformance suite sees in one type only or not at all.</summary>
public sealed class CopyKernelTests(BFloat16KernelTests.Shared shared) : IClassFixture<BFloat16KernelTests.Shared>
{
    private const int Target = 1 << 18;

    public static TheoryData<int, int, int> Shapes => new() { { 1, 1, 0 }, { 3, 7, 0 }, { 5, 33, 3 }, { 2, 1500, 4 }, { 9, 64, 8 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void NarrowsToTheNearest(int rows, int columns, int gap)
    {
        HostClang.Require();
        float[] values = Values(rows * columns);
        values[0] = float.NaN;
        float[] copied = Copy(values, rows, columns, gap, DType.Float32, DType.BFloat16);
        Assert.Equal(values.Select(value => HostTransfer.FromBFloat16(HostTransfer.ToBFloat16(value))), copied);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void WidensExactly(int rows, int columns, int gap)
    {
        HostClang.Require();
        float[] values = [.. Values(rows * columns).Select(value => HostTransfer.FromBFloat16(HostTransfer.ToBFloat16(value)))];
        Assert.Equal(values, Copy(values, rows, columns, gap, DType.BFloat16, DType.Float32));
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void CopiesOtherTypesAsTheyAre(int rows, int columns, int gap)
    {
        HostClang.Require();
        float[] values = [.. Enumerable.Range(0, rows * columns).Select(i => i * 37 % 251f)];
        foreach (DType type in (ReadOnlySpan<DType>)[DType.UInt8, DType.BFloat16, DType.Int32])
        {
            Assert.Equal(values, Copy(values, rows, columns, gap, type, type));
        }
    }

    /// <summary>Each of x, bias and plus may be none; y may be x or plus.</summary>
    [Theory]
    [MemberData(nameof(Shapes))]
    public void AddsABias(int rows, int columns, int gap)
    {
        HostClang.Require();
        CudaBackend backend = shared.Backend;
        float[] inputs = Values(rows * columns);
        float[] biases = Values(columns);
        float[] sums = [.. inputs.Select(value => 1 - value * value)];
        foreach (int given in Enumerable.Range(0, 8))
        {
            Tensor x = Place(0, rows, columns, gap, DType.Float32);
            Tensor bias = Place(Target, 1, columns, 0, DType.Float32);
            Tensor plus = Place(2 * Target, rows, columns, gap, DType.Float32);
            backend.Write(x, inputs);
            backend.Write(bias, biases);
            backend.Write(plus, sums);
            (bool hasX, bool hasBias, bool hasPlus) = ((given & 1) != 0, (given & 2) != 0, (given & 4) != 0);
            Tensor y = hasPlus ? plus : x;
            backend.AddBias(hasX ? x : Tensor.None, hasBias ? bias : Tensor.None, y, hasPlus ? plus : Tensor.None, 0.75f);
            var actual = new float[inputs.Length];
            backend.Read(y, actual.AsSpan());
            for (int i = 0; i < actual.Length; i++)
            {
                double expected = 0.75 * ((hasX ? inputs[i] : 0.0) + (hasBias ? biases[i % columns] : 0)) + (hasPlus ? sums[i] : 0);
                Assert.Equal(expected, actual[i], 1e-5);
            }
        }
    }

    private static float[] Values(int count)
    {
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 4 - 2))];
    }

    private static Tensor Place(long offset, int rows, int columns, int gap, DType type) => new(offset + gap % 4 * type.Size(), rows, columns, columns + gap, type);

    private float[] Copy(float[] values, int rows, int columns, int gap, DType from, DType to)
    {
        CudaBackend backend = shared.Backend;
        Tensor source = Place(0, rows, columns, gap, from);
        Tensor destination = Place(Target, rows, columns, gap, to);
        Tensor around = new(Target - 64, 1, 64 + rows * (columns + gap) * to.Size() + 64, 1 << 20, DType.UInt8);
        var before = new float[around.Columns];
        Array.Fill(before, 0xA5);
        backend.Write(around, before);
        backend.Write(source, values);
        backend.Copy(source, destination);

        var after = new float[around.Columns];
        backend.Read(around, after.AsSpan());
        for (int i = 0; i < after.Length; i++)
        {
            long at = around.Offset + i - destination.Offset;
            long stride = (columns + gap) * to.Size();
            bool inside = at >= 0 && at / stride < rows && at % stride < columns * to.Size();
            Assert.True(inside || after[i] == 0xA5, $"byte {i} was written");
        }

        var copied = new float[values.Length];
        backend.Read(destination, copied.AsSpan());
        return copied;
    }
}
