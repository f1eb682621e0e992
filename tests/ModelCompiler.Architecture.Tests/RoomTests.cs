namespace ModelCompiler.Architecture.Tests;

/// <summary>Inside an assembly a room uses those before it in the order, and none after it: so no rooms are in a circle.</summary>
public class RoomTests
{
    [Fact]
    public void Rooms_of_the_compiler_use_earlier_rooms_only() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Compiler").Against(
            "Description", "Graph", "Operations", "Adapters", "Lowering", "Passes", "Writing", "(root)", "Validation"));

    [Fact]
    public void Rooms_of_the_test_kit_use_earlier_rooms_only() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Testing").Against("Null", "Reference", "Conformance"));

    [Fact]
    public void Foundations_of_the_runtime_know_neither_models_nor_adapters() =>
        Assert.Empty(Rooms.Of("ModelCompiler").Within(
            "(root)", "Files", "Reading", "Tensors", "Numerics", "Quantization", "Tokenizers", "Data", "Backends", "Safetensors"));

    [Fact]
    public void Families_of_checkpoints_know_neither_config_files_nor_weights() =>
        Assert.Empty(Rooms.Of("ModelCompiler.HuggingFace").Within("Families", "Config"));

    [Fact]
    public void Tokenizers_know_no_checkpoint() =>
        Assert.Empty(Rooms.Of("ModelCompiler.HuggingFace").Within("Tokenizers"));
}
