using ModelCompiler.Quantization;

namespace ModelCompiler.Tests.Quantization;

public class DynamicMapTests
{
    public static TheoryData<bool> Maps => [true, false];

    /// <summary>Figures of bitsandbytes' create_dynamic_map.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Runs_of_codes_are_decoded_as_single_ones_and_nothing_behind_them_is_touched(bool signed)
    {
        DynamicMap map = Map(signed);
        foreach (int count in new[] { 0, 1, 63, 64, 65, 256, 300, 777 })
        {
            byte[] codes = [.. Enumerable.Range(0, count).Select(i => (byte)(i * 37 + i / 256 + 11))];
            float[] values = [.. Enumerable.Repeat(7f, count + 3)];
            map.Decode(codes, values);
            Assert.Equal([.. codes.Select(map.Decode), 7, 7, 7], values);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => map.Decode(new byte[5], new float[4]));
    }

    [Fact]
    public void Signed_values_are_the_published_ones()
    {
        ReadOnlySpan<float> values = DynamicMap.Signed.Values;
        Assert.Equal(256, values.Length);
        Assert.Equal(-0.99296875f, values[0]);
        Assert.Equal(-5.5e-7, values[126], 1e-12);
        Assert.Equal(0, values[127]);
        Assert.Equal(5.5e-7, values[128], 1e-12);
        Assert.Equal(0.99296875f, values[254]);
        Assert.Equal(1, values[255]);
    }

    /// <summary>Figures of bitsandbytes' create_dynamic_map(signed=False).</summary>
    [Fact]
    public void Unsigned_values_are_the_published_ones()
    {
        ReadOnlySpan<float> values = DynamicMap.Unsigned.Values;
        Assert.Equal(256, values.Length);
        Assert.Equal(0, values[0]);
        Assert.Equal(3.25e-7, values[1], 1e-12);
        Assert.Equal(7.75e-7, values[2], 1e-12);
        Assert.Equal(1, values[255]);
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void Values_ascend_and_return_their_own_index(bool signed)
    {
        DynamicMap map = Map(signed);
        for (int code = 0; code < 256; code++)
        {
            Assert.Equal(code, map.Encode(map.Values[code]));
            Assert.Equal(map.Values[code], map.Decode((byte)code));
            Assert.True(code == 0 || map.Values[code] > map.Values[code - 1]);
        }
    }

    [Theory]
    [MemberData(nameof(Maps))]
    public void Encodes_to_the_nearest_value_and_ties_to_the_lower_index(bool signed)
    {
        DynamicMap map = Map(signed);
        var random = new Random(3);
        for (int code = 0; code < 255; code++)
        {
            // Exact in double: the floats around each midpoint, and the midpoint itself where it is one.
            float near = (float)(((double)map.Values[code] + map.Values[code + 1]) / 2);
            foreach (float x in new[] { MathF.BitDecrement(near), near, MathF.BitIncrement(near) })
            {
                Assert.Equal(Nearest(map, x), map.Encode(x));
            }
        }

        for (int i = 0; i < 20_000; i++)
        {
            float x = (float)((random.NextDouble() * 2.4 - 1.2) * Math.Pow(10, -random.Next(9)));
            Assert.Equal(Nearest(map, x), map.Encode(x));
        }
    }

    [Fact]
    public void Values_outside_the_range_take_the_ends()
    {
        Assert.Equal(0, DynamicMap.Signed.Encode(-1));
        Assert.Equal(0, DynamicMap.Signed.Encode(float.NegativeInfinity));
        Assert.Equal(255, DynamicMap.Signed.Encode(2));
        Assert.Equal(0, DynamicMap.Unsigned.Encode(-0.5f));
        Assert.Equal(255, DynamicMap.Unsigned.Encode(float.PositiveInfinity));
    }

    private static DynamicMap Map(bool signed) => signed ? DynamicMap.Signed : DynamicMap.Unsigned;

    /// <summary>By trying all of them in double.</summary>
    private static int Nearest(DynamicMap map, float x)
    {
        int nearest = 0;
        for (int code = 1; code < 256; code++)
        {
            nearest = Math.Abs((double)x - map.Values[code]) < Math.Abs((double)x - map.Values[nearest]) ? code : nearest;
        }

        return nearest;
    }
}
