using System.Runtime.Intrinsics;
using ModelCompiler.Backends.Cpu;

namespace ModelCompiler.Tests.Cpu;

public sealed class VectorMathTests
{
    [Fact]
    public void ExpIsWithinTwoTenMillionthsOfDouble()
    {
        double worst = 0;
        for (float x = -87; x < 88.7f; x += 0.0137f)
        {
            foreach (float value in All(x))
            {
                worst = Math.Max(worst, Math.Abs(value - Math.Exp(x)) / Math.Exp(x));
            }
        }

        Assert.InRange(worst, 0, 2e-7);
    }

    [Theory]
    [InlineData(float.NegativeInfinity, 0f)]
    [InlineData(-1e30f, 0f)]
    [InlineData(0f, 1f)]
    [InlineData(1000f, float.PositiveInfinity)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity)]
    [InlineData(float.NaN, float.NaN)]
    public void ExpAtTheEdges(float x, float expected) => Assert.All(All(x), value => Assert.Equal(expected, value));

    private static float[] All(float x) =>
        [VectorMath.Exp(Vector512.Create(x))[5], VectorMath.Exp(Vector256.Create(x))[7], VectorMath.Exp(Vector128.Create(x))[2]];
}
