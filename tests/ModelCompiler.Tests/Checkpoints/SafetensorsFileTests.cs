using System.Buffers.Binary;
using ModelCompiler.Backends;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;
using static ModelCompiler.Tests.Checkpoints.SafetensorsBytes;

namespace ModelCompiler.Tests.Checkpoints;

public class SafetensorsFileTests
{
    public static TheoryData<string, byte[], string> Damaged => new()
    {
        { "empty file", [], "only 0 bytes" },
        { "seven bytes", new byte[7], "only 7 bytes" },
        { "header longer than the file", [.. Length(100), (byte)'{', (byte)'}'], "header of 100 bytes" },
        { "header length of 2^64 - 1", [.. Length(ulong.MaxValue), (byte)'{', (byte)'}'], "18446744073709551615" },
        { "no JSON", Make("hello"), "not valid JSON" },
        { "an array", Make("[]"), "must be a JSON object" },
        { "invalid UTF-8 in a name", [.. Length(9), (byte)'{', (byte)'"', 0xFF, 0xFE, (byte)'"', (byte)':', (byte)'{', (byte)'}', (byte)'}'], "is not UTF-8 at column 3" },
        { "lone surrogate", Make("{\"\\ud800\":{}}"), "JSON" },
        { "twice", Make("{" + Entry("w", "F32", "[1]", 0, 4) + "," + Entry("w", "F32", "[1]", 0, 4) + "}", new byte[4]), "'w'" },
        { "truncated data", Make("{" + Entry("w", "F32", "[2]", 0, 8) + "}", new byte[7]), "'w'" },
        { "begin after end", Make("{" + Entry("w", "F32", "[1]", 4, 0) + "}", new byte[4]), "'w'" },
        { "negative offset", Make("{" + Entry("w", "F32", "[1]", -4, 0) + "}", new byte[4]), "'w.data_offsets[0]'" },
        { "shape too large for its bytes", Make("{" + Entry("w", "F32", "[2, 2]", 0, 8) + "}", new byte[8]), "shape [2, 2]" },
        { "shape that overflows to fit", Make("{" + Entry("w", "F32", "[4611686018427387904, 4]", 0, 0) + "}"), "'w'" },
        { "negative dimension", Make("{" + Entry("w", "F32", "[-1, -1]", 0, 4) + "}", new byte[4]), "'w.shape[0]'" },
        { "fractional dimension", Make("{" + Entry("w", "F32", "[1.5]", 0, 4) + "}", new byte[4]), "'w.shape[0]'" },
        { "text as shape", Make("{" + Entry("w", "F32", "\"1\"", 0, 4) + "}", new byte[4]), "'w.shape'" },
        { "unknown type", Make("{" + Entry("w", "F8_E4M3", "[4]", 0, 4) + "}", new byte[4]), "F8_E4M3" },
        { "overlap", Make("{" + Entry("a", "F32", "[2]", 0, 8) + "," + Entry("b", "F32", "[2]", 4, 12) + "}", new byte[12]), "'b' overlaps" },
        { "hole", Make("{" + Entry("a", "F32", "[1]", 0, 4) + "," + Entry("b", "F32", "[1]", 8, 12) + "}", new byte[12]), "'b' leaves 4 bytes" },
        { "bytes left over", Make("{" + Entry("a", "F32", "[1]", 0, 4) + "}", new byte[5]), "1 bytes after the last tensor" },
        { "metadata with a number", Make("{\"__metadata__\":{\"a\":1}}"), "__metadata__" },
        { "entry without dtype", Make("{\"w\":{\"shape\":[],\"data_offsets\":[0,0]}}"), "'w.dtype'" },
    };

    [Theory]
    [MemberData(nameof(Damaged))]
    public void Damage_is_one_error_that_names_the_file(string what, byte[] bytes, string expected)
    {
        Assert.NotEmpty(what);
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("m.safetensors"), bytes);

        var error = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.File("m.safetensors")));

        Assert.Contains(expected, error.Message);
        Assert.Contains("m.safetensors", error.Message);
    }

    [Fact]
    public void A_damaged_byte_anywhere_is_read_or_refused_but_never_out_of_bounds()
    {
        using var folder = new TemporaryFolder();
        byte[] good = Make("{\"__metadata__\":{\"format\":\"pt\"}," + Entry("a", "F32", "[2, 3]", 0, 24) + "," + Entry("b", "BF16", "[4]", 24, 32) + "}", new byte[32]);
        var random = new Random(7);
        int refused = 0;
        for (int round = 0; round < 1500; round++)
        {
            byte[] bytes = (byte[])good.Clone();
            for (int change = random.Next(1, 4); change > 0; change--)
            {
                bytes[random.Next(bytes.Length - 32)] = (byte)random.Next(256);
            }

            string path = folder.File("m.safetensors");
            File.WriteAllBytes(path, bytes[..(random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length)]);
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(path);
                foreach (TensorEntry entry in file.Tensors.Where(t => t.Type.IsFloatingPoint()))
                {
                    Assert.Equal(entry.Count, file.Read(entry.Name).Length);
                }
            }
            catch (CheckpointException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 500, 1499);
    }

    [Fact]
    public void Every_floating_type_becomes_float()
    {
        using var folder = new TemporaryFolder();
        var data = new List<byte>(Floats(1.5f, -2f));
        foreach (Half half in new[] { (Half)0.25f, Half.Epsilon })
        {
            data.AddRange(BitConverter.GetBytes(half));
        }

        foreach (ushort brain in new ushort[] { 0x3FC0, 0xC2F7 })
        {
            data.AddRange(BitConverter.GetBytes(brain));
        }

        foreach (double real in new[] { Math.PI, -1e-3 })
        {
            data.AddRange(BitConverter.GetBytes(real));
        }

        data.AddRange(BitConverter.GetBytes(5L));
        File.WriteAllBytes(folder.File("m.safetensors"), Make(
            "{" + string.Join(",", Entry("f32", "F32", "[1, 2]", 0, 8), Entry("f16", "F16", "[2]", 8, 12), Entry("bf16", "BF16", "[2]", 12, 16), Entry("f64", "F64", "[2, 1]", 16, 32), Entry("i64", "I64", "[]", 32, 40)) + "}",
            [.. data]));

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m.safetensors"));

        Assert.Equal([1.5f, -2f], file.Read("f32"));
        Assert.Equal([0.25f, 5.9604645e-8f], file.Read("f16"));
        Assert.Equal([1.5f, -123.5f], file.Read("bf16"));
        Assert.Equal([(float)Math.PI, -1e-3f], file.Read("f64"));
        Assert.Equal(SafetensorsType.I64, file["i64"].Type);
        Assert.Empty(file["i64"].Shape);
        Assert.Contains("'i64' is I64", Assert.Throws<CheckpointException>(() => file.Read("i64")).Message);
        Assert.Contains("'absent'", Assert.Throws<CheckpointException>(() => file.Read("absent")).Message);
    }

    [Fact]
    public void Every_bfloat16_widens_to_its_upper_half()
    {
        using var folder = new TemporaryFolder();
        var data = new byte[2 * 65536];
        for (int i = 0; i < 65536; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(data.AsSpan(2 * i), (ushort)i);
        }

        File.WriteAllBytes(folder.File("m.safetensors"), Make("{" + Entry("w", "BF16", "[65536]", 0, data.Length) + "}", data));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m.safetensors"), NonFinite.Allow);

        float[] values = file.Read("w");

        Assert.All(values.Index(), v => Assert.Equal((uint)v.Index << 16, BitConverter.SingleToUInt32Bits(v.Item)));
    }

    [Fact]
    public void Rows_are_slices_of_the_whole()
    {
        using var folder = new TemporaryFolder();
        float[] values = [.. Enumerable.Range(0, 60).Select(i => i * 0.5f)];
        File.WriteAllBytes(folder.File("m.safetensors"), Make("{" + Entry("w", "F32", "[5, 3, 4]", 0, 240) + "}", Floats(values)));
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m.safetensors"));
        var rows = new float[24];

        file.ReadRows("w", 2, 2, rows);

        Assert.Equal(values[24..48], rows);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("w", 4, 2, rows));
        Assert.Throws<ArgumentOutOfRangeException>(() => file.ReadRows("w", -1, 2, rows));
        Assert.Throws<ArgumentException>(() => file.ReadRows("w", 0, 1, rows));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Weights_that_are_not_finite_are_named_unless_allowed(float bad)
    {
        using var folder = new TemporaryFolder();
        float[] values = new float[100];
        values[83] = bad;
        File.WriteAllBytes(folder.File("m.safetensors"), Make("{" + Entry("layer.w", "F32", "[10, 10]", 0, 400) + "}", Floats(values)));
        using SafetensorsFile strict = SafetensorsFile.Open(folder.File("m.safetensors"));
        using SafetensorsFile lenient = SafetensorsFile.Open(folder.File("m.safetensors"), NonFinite.Allow);

        string message = Assert.Throws<CheckpointException>(() => strict.ReadRows("layer.w", 8, 1, new float[10])).Message;

        Assert.Contains("'layer.w'", message);
        Assert.Contains("index 83", message);
        Assert.Equal(bad, lenient.Read("layer.w")[83]);
    }

    [Fact]
    public void Reading_after_disposal_is_refused()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("m.safetensors"), Make("{" + Entry("w", "F32", "[1]", 0, 4) + "}", Floats(1)));
        SafetensorsFile file = SafetensorsFile.Open(folder.File("m.safetensors"));
        file.Dispose();

        Assert.Throws<ObjectDisposedException>(() => file.Read("w"));
    }

    [Fact]
    public void A_Git_LFS_pointer_is_named_as_what_it_is()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("model.safetensors"), "version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 1045408\n");

        string message = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(folder.File("model.safetensors"))).Message;

        Assert.Contains("model.safetensors: is a Git LFS pointer", message);
        Assert.Contains("git lfs pull", message);
    }

    [Theory]
    [InlineData("F32", 4)]
    [InlineData("BF16", 2)]
    public void A_file_that_another_program_truncates_is_an_error_and_not_the_end(string type, int size)
    {
        using var folder = new TemporaryFolder();
        const int count = 1 << 17;
        string path = folder.File("model.safetensors");
        File.WriteAllBytes(path, Make("{" + Entry("w", type, $"[{count}]", 0, count * size) + "}", new byte[count * size]));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        file.Read("w");
        using (var other = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete))
        {
            other.SetLength(count);
        }

        Assert.Contains($"model.safetensors: ends at byte {count}", Assert.Throws<CheckpointException>(() => file.Read("w")).Message);
        Assert.Contains("model.safetensors: ends at byte", Assert.Throws<CheckpointException>(() => file.ReadBytes("w", count, new byte[8])).Message);
    }

    [Fact]
    public void Rows_that_lie_beyond_a_piece_are_read_to_the_last()
    {
        using var folder = new TemporaryFolder();
        float[] values = [.. Enumerable.Range(0, 200_003).Select(i => (float)i)];
        SafetensorsWriter.Write(folder.File("m"), [TensorSource.FromArray("f", values, SafetensorsType.F32, 200_003), TensorSource.FromArray("h", [.. values.Select(v => v % 2048)], SafetensorsType.F16, 200_003)]);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("m"));

        Assert.Equal(values, file.Read("f"));
        Assert.Equal(values.Select(v => v % 2048), file.Read("h"));
    }
}
