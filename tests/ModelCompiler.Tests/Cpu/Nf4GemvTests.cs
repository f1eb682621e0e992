using System.Runtime.InteropServices;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.Backends.Cpu.Gemm;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;

namespace ModelCompiler.Tests.Cpu;

/// <summary>
/// A single token times an NF4 weight, in fixed point, against the sums in double. The bound is that of the rounding: an x moves by half a
/// step, which is the greatest magnitude of its run / <see cref="FixedPoint.Most"/>, a value of the codebook by half of 1 / <see cref="FixedPoint.One"/>.
/// </summary>
public sealed class Nf4GemvTests : IDisposable
{
    private const int Outputs = 70;

    /// <summary>Rounding of fp32 sums of at most 4,160 products, relative to the sum of their magnitudes.</summary>
    private const double Single = 1e-6;

    private readonly CpuBackend cpu = new(2);
    private readonly Random random = new(7);

    public Nf4GemvTests()
    {
        cpu.Allocate((4 << 20) + cpu.Profile.Workspace);
        cpu.UseWorkspace(4 << 20, cpu.Profile.Workspace);
    }

    public static TheoryData<int, int> Shapes => new()
    {
        // Whole units of 512 and of 256 bits, and every block size.
        { 32, 128 }, { 32, 192 }, { 64, 256 }, { 64, 320 }, { 128, 384 }, { 256, 512 }, { 512, 4096 }, { 1024, 1088 }, { 2048, 4160 }, { 4096, 4096 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TheErrorIsThatOfTheRounding(int block, int inputs)
    {
        var weight = new Weight(random, block, inputs);
        foreach (float scale in new[] { 1, 1e-20f, 1e20f })
        {
            Check(weight, [.. Enumerable.Range(0, inputs).Select(_ => scale * (random.NextSingle() - 0.5f))]);
            Check(weight, [.. Enumerable.Range(0, inputs).Select(i => scale * (i % 97 == 5 ? 300 : 1) * (random.NextSingle() - 0.5f))]);
            Check(weight, [.. Enumerable.Range(0, inputs).Select(i => i / 32 % 3 == 1 ? 0 : scale * random.NextSingle())]);
        }
    }

    [Theory]
    [InlineData(0x00)]
    [InlineData(0xFF)]
    public void TheGreatestProductsFitTheirIntegers(byte code)
    {
        foreach (int inputs in new[] { 128, 192 })
        {
            var weight = new Weight(random, 64, inputs, code);
            Check(weight, [.. Enumerable.Repeat(3f, inputs)]);
            Check(weight, [.. Enumerable.Repeat(-3f, inputs)]);
        }
    }

    [Fact]
    public void OfTheProductsMagnitudesTheErrorIsAFewMillionths()
    {
        var weight = new Weight(random, 64, 4096);
        float[] x = [.. Enumerable.Range(0, 4096).Select(_ => (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(6.28 * random.NextDouble())))];
        float[] y = Multiply(weight, x);
        for (int row = 0; row < Outputs; row++)
        {
            double sum = 0, magnitude = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double product = weight[row, i] * x[i];
                sum += product;
                magnitude += Math.Abs(product);
            }

            Assert.InRange(Math.Abs(y[row] - sum) / magnitude, 0, 5e-6);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void WhatIsNotFiniteReachesEveryOutput(float value)
    {
        foreach (int inputs in new[] { 256, 320 })
        {
            var weight = new Weight(random, 64, inputs);
            float[] x = new float[inputs];
            x[inputs - 40] = value;
            Assert.All(Multiply(weight, x), y => Assert.False(float.IsFinite(y)));
        }
    }

    [Fact]
    public void NothingTimesTheWeightIsNothing()
    {
        var weight = new Weight(random, 32, 256);
        Assert.All(Multiply(weight, new float[256]), y => Assert.Equal(0, y));

        // Too small for a step of their own: nothing, or nearly.
        Assert.All(Multiply(weight, [.. Enumerable.Repeat(float.Epsilon, 256)]), y => Assert.InRange(y, -1e-35f, 1e-35f));
    }

    [Fact]
    public void TheIntegersAreThoseOfTheCodebook()
    {
        for (int i = 0; i < 32; i++)
        {
            Assert.Equal((short)Math.Round(Nf4.Codebook[i % 16] * (double)FixedPoint.One), FixedPoint.Codebook[i]);
        }

        Assert.InRange(8L * FixedPoint.One * FixedPoint.Most, 0, int.MaxValue);
        Assert.InRange(FixedPoint.Most, 1, short.MaxValue);
    }

    public void Dispose() => cpu.Dispose();

    private void Check(Weight weight, float[] x)
    {
        float[] y = Multiply(weight, x);
        int run = Math.Min(weight.Block, 64);
        double[] halfStep = [.. x.Chunk(run).Select(part => part.Max(v => Math.Abs((double)v)) / FixedPoint.Most / 2)];
        for (int row = 0; row < Outputs; row++)
        {
            double sum = 0, bound = 0;
            for (int i = 0; i < x.Length; i++)
            {
                double w = weight[row, i], magnitude = Math.Abs(w * x[i]);
                sum += w * x[i];
                bound += Single * magnitude + (Math.Abs(w) + weight.Factor(row, i) / 2 / FixedPoint.One) * halfStep[i / run] + Math.Abs(x[i]) * weight.Factor(row, i) / 2 / FixedPoint.One;
            }

            Assert.True(Math.Abs(y[row] - sum) <= bound, $"block {weight.Block}, {x.Length} inputs: row {row} is {y[row]}, not {sum}, off by {Math.Abs(y[row] - sum) / bound} of the bound");
        }
    }

    private float[] Multiply(Weight weight, float[] x)
    {
        var y = new Tensor(0, 1, Outputs, Outputs, DType.Float32);
        var input = new Tensor(1 << 10, 1, x.Length, x.Length, DType.Float32);
        var stored = new Tensor(1 << 16, Outputs, x.Length, x.Length, DTypeExtensions.Quantized(DType.NF4, weight.Block, false));
        cpu.Write(input, x);
        cpu.Write(stored.Bytes, weight.Bytes);
        cpu.Linear(input, stored, y);
        var result = new float[Outputs];
        cpu.Read(y, result);
        return result;
    }

    /// <summary>Codes, all random or all the same, and factors between a half and three halves.</summary>
    private sealed class Weight
    {
        private readonly int inputs;
        private readonly long factors;

        public Weight(Random random, int block, int inputs, byte? code = null)
        {
            (Block, this.inputs) = (block, inputs);
            StorageLayout layout = StorageLayout.Of(DTypeExtensions.Quantized(DType.NF4, block, false), Outputs, inputs);
            factors = layout.Factors;
            Bytes = new byte[layout.Bytes];
            random.NextBytes(Bytes.AsSpan(0, (int)layout.CodeBytes));
            if (code != null)
            {
                Bytes.AsSpan(0, (int)layout.CodeBytes).Fill(code.Value);
            }

            foreach (ref float factor in MemoryMarshal.Cast<byte, float>(Bytes.AsSpan((int)factors, 4 * (int)layout.Blocks)))
            {
                factor = 0.5f + random.NextSingle();
            }
        }

        public int Block { get; }

        public byte[] Bytes { get; }

        public double this[int row, int column]
        {
            get
            {
                int i = row * inputs + column;
                return Nf4.Codebook[i % 2 == 0 ? Bytes[i / 2] >> 4 : Bytes[i / 2] & 15] * Factor(row, column);
            }
        }

        public double Factor(int row, int column) => BitConverter.ToSingle(Bytes, (int)factors + 4 * ((row * inputs + column) / Block));
    }
}
