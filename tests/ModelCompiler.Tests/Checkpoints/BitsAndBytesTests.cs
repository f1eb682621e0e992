using System.Runtime.InteropServices;
using System.Text;
using ModelCompiler.Backends.Cpu;
using ModelCompiler.HuggingFace.BitsAndBytes;
using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Planning;
using ModelCompiler.Safetensors;
using ModelCompiler.Tensors;
using ModelCompiler.Tests.Files;
using ModelCompiler.Tests.Fixtures;
using ModelCompiler.Tests.Quantization;

namespace ModelCompiler.Tests.Checkpoints;

/// <summary>Weights in bitsandbytes' form, from a file that a Python script wrote (tests/Fixtures/quantization.py).</summary>
public class BitsAndBytesTests
{
    private const string Plain = "model.layers.0.mlp.up_proj.weight";
    private const string Nested = "model.layers.0.mlp.down_proj.weight";
    private static readonly string Fixture = Path.Combine(TestData.Repository, "tests", "Fixtures", "bitsandbytes.safetensors");

    [Fact]
    public void A_file_that_is_loaded_and_saved_keeps_every_byte()
    {
        using var folder = new TemporaryFolder();
        using var kernels = new CpuBackend(1);
        kernels.Allocate(1 << 16);
        using Checkpoint checkpoint = Checkpoint.Open(Fixture);
        var plain = new Tensor(0, 13, 21, 21, DTypeExtensions.Quantized(DType.NF4, 64, false));
        var nested = new Tensor(1 << 12, 93, 89, 89, DTypeExtensions.Quantized(DType.NF4, 32, true));
        StoredNf4.Find(checkpoint, Plain)!.Load(kernels, plain, 0);
        StoredNf4.Find(checkpoint, Nested)!.Load(kernels, nested, 0);

        SafetensorsWriter.Write(folder.File("again.safetensors"),
        [
            .. Nf4Sources.Of(kernels, Plain, [plain], SafetensorsType.BF16), .. Nf4Sources.Of(kernels, Nested, [nested], SafetensorsType.BF16),
        ]);

        Assert.Equal(File.ReadAllBytes(Fixture), File.ReadAllBytes(folder.File("again.safetensors")));
    }

    [Theory]
    [InlineData(Plain, 0)]
    [InlineData(Nested, 4)]
    public void A_tensor_of_floats_takes_what_the_weight_decodes_to(string name, int fixtureCase)
    {
        QuantizationFixtureTests.QuantizationCase expected = FixtureFile.Read<QuantizationFixtureTests.QuantizationFixture>("quantization.json").Cases[fixtureCase];
        using var kernels = new CpuBackend(1);
        kernels.Allocate(1 << 16);
        using Checkpoint checkpoint = Checkpoint.Open(Fixture);
        var tensor = new Tensor(0, expected.Rows, expected.Columns, expected.Columns, DType.Float32);
        StoredNf4.Find(checkpoint, name)!.Load(kernels, tensor, 0);
        var values = new float[tensor.Count];
        kernels.Read(tensor, values.AsSpan());
        Assert.Equal(MemoryMarshal.Cast<byte, float>(expected.Decoded).ToArray(), values);
    }

    /// <summary>bitsandbytes' own map differs from ours in last bits, by the machine that made it.</summary>
    [Fact]
    public void The_last_bit_of_the_nested_map_may_differ() => Change(Nested + Nf4Sources.NestedQuantMap, bytes => Floats(bytes)[3] = MathF.BitIncrement(Floats(bytes)[3]));

    [Theory]
    [InlineData("\"blocksize\": 64", "\"blocksize\": 48", "'blocksize' must be a power of two from 32 to 4096, not 48")]
    [InlineData("\"blocksize\": 64", "\"blocksize\": 8192", "not 8192")]
    [InlineData("\"quant_type\": \"nf4\"", "\"quant_type\": \"fp4\"", "'fp4'")]
    [InlineData("[13, 21]", "[273]", "[273]")]
    [InlineData("[13, 21]", "[13, 22]", "137 bytes of codes", "[13, 22] needs 143")]
    [InlineData("\"blocksize\": 64, ", "", "'blocksize' must be given; it is missing")]
    [InlineData("}", "", "is not valid JSON")]
    public void A_state_that_is_wrong_is_refused(string text, string other, params string[] words) => Refused(Plain, words, Plain + Nf4State.Suffix, bytes =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace(text, other, StringComparison.Ordinal)));

    [Theory]
    [InlineData("\"nested_blocksize\": 256", "\"nested_blocksize\": 128", "'nested_blocksize' is 128")]
    [InlineData("nested_offset", "offset", "'nested_offset' must be a number; it is missing")]
    public void A_nested_state_that_is_wrong_is_refused(string text, string other, params string[] words) => Refused(Nested, words, Nested + Nf4State.Suffix, bytes =>
        Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(bytes).Replace(text, other, StringComparison.Ordinal)));

    [Fact]
    public void Parts_that_are_missing_or_of_another_length_are_refused()
    {
        Refused(Nested, ["double quantized", ".nested_absmax' is missing"], Nested + Nf4Sources.NestedAbsmax, _ => null);
        Refused(Nested, [".nested_quant_map' is missing"], Nested + Nf4Sources.NestedQuantMap, _ => null);
        Refused(Nested, [".nested_absmax' has 1 elements of F32", "needs 2"], Nested + Nf4Sources.NestedAbsmax, bytes => bytes[4..]);
        Refused(Nested, [".absmax' has 250 elements of U8", "needs 259"], Nested + Nf4Sources.Absmax, bytes => bytes[9..]);
        Refused(Plain, [".absmax' is missing"], Plain + Nf4Sources.Absmax, _ => null);
        Refused(Plain, [".absmax' has 4 elements of F32", "needs 5"], Plain + Nf4Sources.Absmax, bytes => bytes[4..]);
        Refused(Plain, ["136 bytes of codes", "[13, 21] needs 137"], Plain, bytes => bytes[1..]);
        Refused(Plain, ["quant_state.bitsandbytes__nf4', which says how it is quantized, is missing"], Plain + Nf4State.Suffix, _ => null);
    }

    [Fact]
    public void Values_that_cannot_be_are_refused()
    {
        Refused(Plain, [".absmax' [5] has NaN at index 2"], Plain + Nf4Sources.Absmax, bytes => Set(bytes, 2, float.NaN));
        Refused(Nested, [".nested_absmax' [2] has Infinity at index 1"], Nested + Nf4Sources.NestedAbsmax, bytes => Set(bytes, 1, float.PositiveInfinity));
        Refused(Plain, [".quant_map' has 0.25 for code 3", "-0.3949"], Plain + Nf4Sources.QuantMap, bytes => Set(bytes, 3, 0.25f));
        Refused(Nested, [".nested_quant_map' has -0.99 for code 0"], Nested + Nf4Sources.NestedQuantMap, bytes => Set(bytes, 0, -0.99f));
    }

    [Fact]
    public void Another_quantization_is_named()
    {
        using var folder = new TemporaryFolder();
        string file = folder.File("other.safetensors");
        SafetensorsWriter.Write(file, [TensorSource.FromBytes("a.weight", SafetensorsType.U8, new byte[8]), TensorSource.FromBytes("a.weight.quant_state.bitsandbytes__fp4", SafetensorsType.U8, new byte[8]), TensorSource.FromBytes("b.weight", SafetensorsType.I8, new byte[8])]);
        using Checkpoint checkpoint = Checkpoint.Open(file);
        Assert.Contains("'a.weight' has the quantization 'bitsandbytes__fp4'", Assert.Throws<CheckpointException>(() => StoredNf4.Find(checkpoint, "a.weight")).Message);
        Assert.Contains("'b.weight' is I8", Assert.Throws<CheckpointException>(() => StoredNf4.Find(checkpoint, "b.weight")).Message);
        Assert.Null(StoredNf4.Find(checkpoint, "c.weight"));
    }

    private static Span<float> Floats(byte[] bytes) => MemoryMarshal.Cast<byte, float>(bytes.AsSpan());

    private static byte[] Set(byte[] bytes, int index, float value)
    {
        Floats(bytes)[index] = value;
        return bytes;
    }

    /// <summary>The fixture with one tensor changed, or without it, cannot be loaded; the message names the weight and has the words.</summary>
    private static void Refused(string weight, string[] words, string tensor, Func<byte[], byte[]?> change)
    {
        string message = Assert.Throws<CheckpointException>(() => LoadChanged(weight, tensor, change)).Message;
        Assert.Contains(weight, message, StringComparison.Ordinal);
        Assert.All(words, word => Assert.Contains(word, message, StringComparison.Ordinal));
    }

    private static void Change(string tensor, Action<byte[]> change) => LoadChanged(Nested, tensor, bytes =>
    {
        change(bytes);
        return bytes;
    });

    private static void LoadChanged(string weight, string tensor, Func<byte[], byte[]?> change)
    {
        using var folder = new TemporaryFolder();
        using (SafetensorsFile source = SafetensorsFile.Open(Fixture))
        {
            SafetensorsWriter.Write(folder.File("changed.safetensors"), source.Tensors.Select(entry =>
            {
                var bytes = new byte[entry.Bytes];
                source.ReadBytes(entry.Name, 0, bytes);
                return (entry, Bytes: entry.Name == tensor ? change(bytes) : bytes);
            }).Where(t => t.Bytes is not null).Select(t => TensorSource.FromBytes(t.entry.Name, t.entry.Type, t.Bytes!)));
        }

        using Checkpoint checkpoint = Checkpoint.Open(folder.File("changed.safetensors"));
        using var kernels = new CpuBackend(1);
        kernels.Allocate(1 << 16);
        StoredNf4 stored = StoredNf4.Find(checkpoint, weight)!;
        stored.Load(kernels, new Tensor(0, (int)stored.Shape[0], (int)stored.Shape[1], (int)stored.Shape[1], stored.Type), 0);
    }
}
