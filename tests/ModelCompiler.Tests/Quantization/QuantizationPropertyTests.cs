using System.Runtime.InteropServices;
using FsCheck;
using FsCheck.Fluent;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;

namespace ModelCompiler.Tests.Quantization;

public class QuantizationPropertyTests
{
    private static readonly Gen<DType> Types =
        from kind in Gen.Elements(DType.NF4, DType.Int8, DType.Int4)
        from block in Gen.Elements(32, 64, 128)
        from nested in Gen.Elements(false, true)
        select DTypeExtensions.Quantized(kind, block, nested && kind == DType.NF4);

    private static readonly Gen<Case> Cases =
        from type in Types
        from rows in Gen.Choose(1, 9)
        from columns in Gen.Choose(1, 150)
        from seed in Gen.Choose(0, 1_000_000)
        select new Case(type, rows, columns, Values(seed, rows * columns));

    /// <summary>An element lies no further from its value than half the gap between the values around it.</summary>
    [Fact]
    public void Errors_are_within_half_a_gap() => ForAll(c =>
    {
        DType exact = DTypeExtensions.Quantized(c.Type.Kind(), c.Type.BlockSize(), false);
        StorageLayout layout = StorageLayout.Of(exact, c.Rows, c.Columns);
        byte[] packed = WeightQuantizer.Quantize(exact, c.Rows, c.Columns, c.Values);
        float[] decoded = Decode(c with { Type = exact }, packed);
        for (int i = 0; i < decoded.Length; i++)
        {
            float factor = Dequantization.Factor(exact, layout, packed, i / exact.BlockSize());
            double halfGap = factor * exact.Kind() switch { DType.NF4 => (1 - 0.6961928009986877) / 2, DType.Int8 => 0.5 / 127, _ => 0.5 };
            Assert.True(Math.Abs(decoded[i] - c.Values[i]) <= halfGap * (1 + 1e-5) + 1e-6 * Math.Abs(c.Values[i]), $"{c}: element {i}, {c.Values[i]} became {decoded[i]}");
        }
    });

    [Fact]
    public void Codes_of_decoded_weights_are_the_same_again() => ForAll(c =>
    {
        DType exact = DTypeExtensions.Quantized(c.Type.Kind(), c.Type.BlockSize(), false);
        byte[] packed = WeightQuantizer.Quantize(exact, c.Rows, c.Columns, c.Values);
        byte[] again = WeightQuantizer.Quantize(exact, c.Rows, c.Columns, Decode(c with { Type = exact }, packed));
        long same = exact.Kind() == DType.NF4 ? packed.Length : StorageLayout.Of(exact, c.Rows, c.Columns).CodeBytes;
        Assert.Equal(packed[..(int)same], again[..(int)same]);
    });

    [Fact]
    public void Pieces_make_the_bytes_of_the_whole() => ForAll(c =>
    {
        byte[] whole = WeightQuantizer.Quantize(c.Type, c.Rows, c.Columns, c.Values);
        var packed = new byte[whole.Length];
        var quantizer = new WeightQuantizer(c.Type, c.Rows, c.Columns, packed);
        var random = new Random(c.Values.Length);
        for (int done = 0; done < c.Values.Length;)
        {
            int count = Math.Min(random.Next(1, 200), c.Values.Length - done);
            quantizer.Add(c.Values.AsSpan(done, count));
            done += count;
        }

        quantizer.Complete();
        Assert.Equal(whole, packed);
    });

    [Fact]
    public void Any_range_reads_what_the_whole_reads() => ForAll(c =>
    {
        byte[] packed = WeightQuantizer.Quantize(c.Type, c.Rows, c.Columns, c.Values);
        float[] whole = Decode(c, packed);
        var random = new Random(c.Values.Length);
        int first = random.Next(whole.Length);
        var floats = new float[random.Next(1, whole.Length - first + 1)];
        var doubles = new double[floats.Length];
        Dequantization.Read(c.Type, c.Rows, c.Columns, packed, first, floats);
        Dequantization.Read(c.Type, c.Rows, c.Columns, packed, first, doubles);
        Assert.Equal(whole[first..(first + floats.Length)], floats);
        Assert.Equal(floats.Select(v => (double)v), doubles);
    });

    /// <summary>QA-LoRA, section 3.3: moving a group's zero point by −δ / scale adds δ to each of its weights, also where all are equal.</summary>
    [Fact]
    public void A_moved_zero_point_of_Int4_adds_the_same_to_the_whole_group() => ForAll(c =>
    {
        DType type = DTypeExtensions.Quantized(DType.Int4, 32, false);
        StorageLayout layout = StorageLayout.Of(type, c.Rows, c.Columns);
        byte[] packed = WeightQuantizer.Quantize(type, c.Rows, c.Columns, c.Values);
        float[] before = Decode(c with { Type = type }, packed);
        Span<float> zeros = MemoryMarshal.Cast<byte, float>(packed.AsSpan((int)layout.Zeros, (int)(4 * layout.Blocks)));
        double[] added = new double[layout.Blocks];
        for (int group = 0; group < zeros.Length; group++)
        {
            double scale = Dequantization.Factor(type, layout, packed, group);
            added[group] = (group % 7 - 3) * 0.3 * scale;
            zeros[group] = (float)(zeros[group] - added[group] / scale);
        }

        float[] after = Decode(c with { Type = type }, packed);
        for (int i = 0; i < after.Length; i++)
        {
            double scale = Dequantization.Factor(type, layout, packed, i / 32);
            Assert.Equal(before[i] + added[i / 32], after[i], 1e-5 * scale + 1e-6 * Math.Abs(before[i]));
        }
    });

    /// <summary>QLoRA: [1, -1, ...] packs to 0xF0, the even element in the high half.</summary>
    [Fact]
    public void The_first_of_two_elements_has_the_high_half() =>
        Assert.Equal(Enumerable.Repeat((byte)0xF0, 16), WeightQuantizer.Quantize(DTypeExtensions.Quantized(DType.NF4, 32, false), 1, 32, [.. Enumerable.Range(0, 32).Select(i => i % 2 == 0 ? 1f : -1f)])[..16]);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_refused(float bad)
    {
        var values = new float[100];
        values[70] = bad;
        ArgumentException error = Assert.Throws<ArgumentException>(() => WeightQuantizer.Quantize(DTypeExtensions.Quantized(DType.NF4, 32, true), 10, 10, values));
        Assert.Contains("element 70", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_number_of_elements_is_refused()
    {
        DType type = DTypeExtensions.Quantized(DType.Int8, 32, false);
        Assert.Contains("101 elements", Assert.Throws<ArgumentException>(() => WeightQuantizer.Quantize(type, 10, 10, new float[101])).Message, StringComparison.Ordinal);
        Assert.Contains("99 elements", Assert.Throws<ArgumentException>(() => WeightQuantizer.Quantize(type, 10, 10, new float[99])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => new WeightQuantizer(type, 10, 10, new byte[100]));
        Assert.Throws<ArgumentException>(() => Dequantization.Read(type, 10, 10, new byte[StorageLayout.BytesOf(type, 10, 10)], 50, new float[51]));
    }

    private static void ForAll(Action<Case> check) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Cases.ToArbitrary(), check));

    private static float[] Decode(Case c, byte[] packed)
    {
        var values = new float[c.Values.Length];
        Dequantization.Read(c.Type, c.Rows, c.Columns, packed, 0, values);
        return values;
    }

    /// <summary>Weights of both signs whose magnitude changes every few dozen elements, with runs of zeros and of equal values.</summary>
    private static float[] Values(int seed, int count)
    {
        var random = new Random(seed);
        var values = new float[count];
        double magnitude = 1;
        int shape = 0;
        for (int i = 0; i < count; i++)
        {
            if (i % 48 == 0)
            {
                magnitude = Math.Pow(10, random.Next(-20, 21));
                shape = random.Next(5);
            }

            values[i] = (float)(shape switch { 0 => 0, 1 => magnitude, _ => magnitude * (random.NextDouble() * 2 - 1) });
        }

        return values;
    }

    private sealed record Case(DType Type, int Rows, int Columns, float[] Values)
    {
        public override string ToString() => $"{Type.Kind()} {Type.BlockSize()} {Type.IsNested()} [{Rows}, {Columns}]";
    }
}
