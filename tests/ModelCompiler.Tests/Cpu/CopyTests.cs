using ModelCompiler.Backends.Cpu;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Cpu;

/// <summary>Copies between Float32 and bfloat16, on widths that leave elements over after every vector width.</summary>
public class CopyTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 7)]
    [InlineData(5, 31)]
    [InlineData(70, 129)]
    public void Narrowing_takes_the_nearest_and_widening_is_exact(int rows, int columns)
    {
        using var backend = new CpuBackend(2);
        var full = new Tensor(0, rows, columns, columns + 3, DType.Float32);
        var half = new Tensor(1 << 18, rows, columns, columns + 5, DType.BFloat16);
        var back = new Tensor(1 << 19, rows, columns, columns, DType.Float32);
        backend.Allocate(1 << 20);
        float[] values = Values(rows * columns);

        backend.Write(full, values);
        backend.Copy(full, half);
        backend.Copy(half, back);

        var widened = new float[values.Length];
        backend.Read(back, widened);
        Assert.Equal(values.Select(Nearest), widened);
        backend.Read(half, widened);
        Assert.Equal(values.Select(Nearest), widened);
    }

    [Fact]
    public void Shapes_must_agree()
    {
        using var backend = new CpuBackend(1);
        backend.Allocate(1 << 12);
        Assert.Throws<ArgumentException>(() => backend.Copy(new Tensor(0, 2, 4, 4, DType.Float32), new Tensor(1024, 2, 5, 5, DType.BFloat16)));
    }

    private static float[] Values(int count)
    {
        float[] special = [0, -0f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, float.Epsilon, float.MaxValue, 1 + 1f / 256, 1 + 3f / 256, -1 - 1f / 256, 1e-40f];
        var random = new Random(count);
        return [.. Enumerable.Range(0, count).Select(i => i % 3 == 0 ? special[i / 3 % special.Length] : (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-30, 30))))];
    }

    /// <summary>Of the two values with 8 bits around it the nearer, and between both the one whose last bit is 0.</summary>
    private static float Nearest(float x)
    {
        if (!float.IsFinite(x))
        {
            return x;
        }

        uint below = BitConverter.SingleToUInt32Bits(x) & 0xFFFF_0000;
        double low = BitConverter.UInt32BitsToSingle(below);
        float high = BitConverter.UInt32BitsToSingle(below + 0x1_0000);

        // Beyond the greatest finite value the next step would be as far again.
        double next = float.IsFinite(high) ? high : 2 * low - BitConverter.UInt32BitsToSingle(below - 0x1_0000);
        (double down, double up) = (Math.Abs(x - low), Math.Abs(next - x));
        return down < up || (down == up && (below & 0x1_0000) == 0) ? (float)low : high;
    }
}
