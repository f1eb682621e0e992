using ModelCompiler.HuggingFace.Checkpoints;
using ModelCompiler.HuggingFace.Weights;
using ModelCompiler.Safetensors;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Checkpoints;

public class CheckpointTests
{
    [Fact]
    public void Shards_read_as_one()
    {
        using TemporaryFolder folder = Sharded();
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);

        Assert.Equal(["a", "b", "c"], checkpoint.Names);
        Assert.Equal([3f, 4f], checkpoint.Read("b"));
        Assert.Equal([2L], checkpoint.Shape("a"));
        Assert.True(checkpoint.Contains("c"));
        Assert.False(checkpoint.Contains("d"));
    }

    [Fact]
    public void A_missing_shard_is_named()
    {
        using TemporaryFolder folder = Sharded();
        File.Delete(folder.File("two.safetensors"));

        string message = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.Path)).Message;

        Assert.Contains("1 of 2 shards are missing: two.safetensors", message);
    }

    [Theory]
    [InlineData("""{"weight_map":{"x":"one.safetensors"}}""", "'x' is not in one.safetensors")]
    [InlineData("""{"weight_map":{"x":"../one.safetensors"}}""", "'weight_map.x'")]
    [InlineData("""{"weight_map":{"x":1}}""", "'weight_map.x'")]
    [InlineData("""{"weight_map":[]}""", "'weight_map' must be an object")]
    [InlineData("""{}""", "'weight_map' must be an object; it is missing")]
    [InlineData("""nonsense""", "is not valid JSON at column 2")]
    public void A_lying_index_is_refused(string index, string expected)
    {
        using TemporaryFolder folder = Sharded();
        File.WriteAllText(folder.File(Checkpoint.IndexName), index);

        string message = Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.Path)).Message;

        Assert.Contains(expected, message);
        Assert.Contains(Checkpoint.IndexName, message);
    }

    [Fact]
    public void Missing_tensors_and_wrong_shapes_are_named()
    {
        using TemporaryFolder folder = Sharded();
        using Checkpoint checkpoint = Checkpoint.Open(folder.Path);

        checkpoint.Require([("a", [2]), ("c", [1])]);
        string missing = Assert.Throws<CheckpointException>(() => checkpoint.Require([("a", [2]), ("x", [1]), ("y", [1])])).Message;
        string shape = Assert.Throws<CheckpointException>(() => checkpoint.Require([("b", [1, 2])])).Message;

        Assert.Contains("2 tensors", missing);
        Assert.Contains("x, y", missing);
        Assert.Contains("'b' has shape [2], the model needs [1, 2]", shape);
        Assert.Contains("'z'", Assert.Throws<CheckpointException>(() => checkpoint.Read("z")).Message);
    }

    [Fact]
    public void A_folder_or_file_that_is_not_there_is_named()
    {
        using var folder = new TemporaryFolder();

        Assert.Contains("neither model.safetensors nor", Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.Path)).Message);
        Assert.Contains("absent.safetensors", Assert.Throws<CheckpointException>(() => Checkpoint.Open(folder.File("absent.safetensors"))).Message);
    }

    [Fact]
    public void Real_weights_have_their_published_size()
    {
        TestData.Require("models/stories260K");
        using Checkpoint checkpoint = Checkpoint.Open(TestData.PathOf("models/stories260K"));

        Assert.Equal(260_032, checkpoint.Names.Sum(n => checkpoint.Entry(n).Count));
        Assert.Equal([64L, 64L], checkpoint.Shape("model.layers.4.self_attn.q_proj.weight"));

        // The llama2.c file holds the same embedding, after seven integers.
        byte[] original = File.ReadAllBytes(TestData.PathOf("models/stories260K/stories260K.bin"));
        float[] embedding = checkpoint.Read("model.embed_tokens.weight");
        Assert.All(embedding.Index(), e => Assert.Equal(BitConverter.ToSingle(original, 28 + 4 * e.Index), e.Item));
    }

    private static TemporaryFolder Sharded()
    {
        var folder = new TemporaryFolder();
        SafetensorsWriter.Write(folder.File("one.safetensors"), [TensorSource.FromArray("a", [1, 2], SafetensorsType.F32, 2), TensorSource.FromArray("b", [3, 4], SafetensorsType.F32, 2)]);
        SafetensorsWriter.Write(folder.File("two.safetensors"), [TensorSource.FromArray("c", [5], SafetensorsType.F32, 1)]);
        File.WriteAllText(folder.File(Checkpoint.IndexName), """{"metadata":{"total_size":20},"weight_map":{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}}""");
        return folder;
    }
}
