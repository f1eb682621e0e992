using System.Text;
using ModelCompiler.Files;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Checkpoints;

public class SafetensorsWriterTests
{
    [Fact]
    public void The_bytes_of_a_file_of_two_tensors()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("m"),
        [
            TensorSource.FromArray("b", [1f, 2f], SafetensorsType.F32, 2),
            TensorSource.FromArray("a", [-1f], SafetensorsType.F32, 1, 1),
        ]);

        const string header = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""";
        byte[] bytes = File.ReadAllBytes(folder.File("m"));
        int length = (header.Length + 7) / 8 * 8;

        Assert.Equal((ulong)length, BitConverter.ToUInt64(bytes));
        Assert.Equal(header.PadRight(length), Encoding.UTF8.GetString(bytes, 8, length));
        Assert.Equal(SafetensorsBytes.Floats(-1, 1, 2), bytes[(8 + length)..]);
    }

    [Fact]
    public void Large_tensors_stream_by_rows_and_come_back()
    {
        using var folder = new TemporaryFolder();
        var asked = new List<(long, int)>();
        static float Value(long i) => i % 1000 - 500;
        var source = new TensorSource("w", SafetensorsType.F32, [700, 300], (first, destination) =>
        {
            asked.Add((first, destination.Length));
            for (int i = 0; i < destination.Length; i++)
            {
                destination[i] = Value(first + i);
            }
        });

        SafetensorsWriter.Write(folder.File("m"), [source, TensorSource.FromArray("empty", [], SafetensorsType.F32, 0, 4)]);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m"));
        Assert.True(asked.Count > 1);
        Assert.All(asked, a => Assert.Equal(0, a.Item1 % 300));
        Assert.All(asked, a => Assert.Equal(0, a.Item2 % 300));
        Assert.Equal(Enumerable.Range(0, 210_000).Select(i => Value(i)), file.Read("w"));
        Assert.Empty(file.Read("empty"));
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Theory]
    [InlineData(1.0f, 0x3F80)]
    [InlineData(1.00390625f, 0x3F80)]
    [InlineData(1.01171875f, 0x3F82)]
    [InlineData(1.0039064f, 0x3F81)]
    [InlineData(-1.00390625f, 0xBF80)]
    [InlineData(3.4028235e38f, 0x7F80)]
    [InlineData(float.NegativeInfinity, 0xFF80)]
    [InlineData(1e-45f, 0x0000)]
    public void BFloat16_rounds_to_nearest_and_ties_to_even(float value, int expected)
    {
        Assert.Equal((ushort)expected, FloatConversion.ToBFloat16(value));
    }

    [Fact]
    public void BFloat16_keeps_NaN()
    {
        ushort bits = FloatConversion.ToBFloat16(BitConverter.UInt32BitsToSingle(0x7F80_0001));

        Assert.True(float.IsNaN(BitConverter.UInt32BitsToSingle((uint)bits << 16)));
    }

    [Fact]
    public void BFloat16_is_the_nearest_of_all()
    {
        var random = new Random(3);
        for (int i = 0; i < 20_000; i++)
        {
            float value = (float)((random.NextDouble() - 0.5) * Math.Pow(10, random.Next(-6, 6)));
            ushort rounded = FloatConversion.ToBFloat16(value);
            double Distance(int bits) => Math.Abs((double)value - BitConverter.UInt32BitsToSingle((uint)bits << 16));

            Assert.True(Distance(rounded) <= Distance(rounded + 1) && Distance(rounded) <= Distance(rounded - 1));
        }
    }

    [Fact]
    public void Wider_types_come_first_so_that_all_are_aligned()
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("m"),
        [
            TensorSource.FromArray("a", [1f, 2f, 3f], SafetensorsType.BF16, 3),
            TensorSource.FromArray("z", [4f], SafetensorsType.F32, 1),
        ]);

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m"));

        Assert.Equal(["z", "a"], file.Tensors.Select(t => t.Name));
        Assert.Equal([1f, 2f, 3f], file.Read("a"));
        Assert.Equal([4f], file.Read("z"));
    }

    [Fact]
    public void A_failure_half_way_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        var source = new TensorSource("w", SafetensorsType.F32, [1000, 1000], (first, _) =>
        {
            if (first > 500_000)
            {
                throw new IOException("No space left on device");
            }
        });

        Assert.Throws<OutputException>(() => SafetensorsWriter.Write(folder.File("m"), [source]));

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Names_must_differ_and_types_must_be_float()
    {
        using var folder = new TemporaryFolder();
        TensorSource one = TensorSource.FromArray("w", [1f], SafetensorsType.F32, 1);

        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("m"), [one, one]));
        Assert.Throws<ArgumentException>(() => SafetensorsWriter.Write(folder.File("m"), [one with { Type = SafetensorsType.I32 }]));
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData(1.00048828125f, 0x3C00)]
    [InlineData(1.00146484375f, 0x3C02)]
    [InlineData(65504f, 0x7BFF)]
    [InlineData(65519.996f, 0x7BFF)]
    [InlineData(5.9604645e-8f, 0x0001)]
    [InlineData(2.9802322e-8f, 0x0000)]
    [InlineData(-0.333333f, 0xB555)]
    [InlineData(float.PositiveInfinity, 0x7C00)]
    public void F16_rounds_to_nearest_and_ties_to_even(float value, int expected)
    {
        using var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("m"), [TensorSource.FromArray("w", [value], SafetensorsType.F16, 1)]);

        Assert.Equal((ushort)expected, BitConverter.ToUInt16(File.ReadAllBytes(folder.File("m")).AsSpan()[^2..]));
    }

    [Theory]
    [InlineData(SafetensorsType.F16, 65520f)]
    [InlineData(SafetensorsType.F16, -1e6f)]
    [InlineData(SafetensorsType.BF16, 3.4028235e38f)]
    public void A_number_that_the_type_cannot_hold_is_named(SafetensorsType type, float value)
    {
        using var folder = new TemporaryFolder();

        string message = Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(folder.File("m"), [TensorSource.FromArray("w", [1, 2, value], type, 3)])).Message;

        Assert.Contains("'w' has", message);
        Assert.Contains("at index 2", message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }
}
