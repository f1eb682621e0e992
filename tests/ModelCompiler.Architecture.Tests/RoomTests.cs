namespace ModelCompiler.Architecture.Tests;

/// <summary>Inside an assembly a room uses those before it in the order, and none after it: so no rooms are in a circle.</summary>
public class RoomTests
{
    [Theory]
    [InlineData("ModelCompiler.Testing")]
    [InlineData("ModelCompiler.Cuda")]
    [InlineData("ModelCompiler.Compiler")]
    [InlineData("ModelCompiler.Generators")]
    public void No_rooms_of_an_assembly_are_in_a_circle(string assembly)
    {
        string circles = string.Join(Environment.NewLine, Rooms.Of(assembly).Circles());
        Assert.True(circles.Length == 0, circles); // Assert.Empty would cut the message short
    }

    [Fact]
    public void Rooms_of_the_compiler_use_earlier_rooms_only() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Compiler").Against(
            "Description", "Graph", "Operations", "Adapters", "Lowering", "Passes", "Writing", "(root)", "Validation"));

    [Fact]
    public void Rooms_of_the_test_kit_use_earlier_rooms_only() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Testing").Against("Null", "Reference", "Conformance"));

    [Fact]
    public void Bindings_of_CUDA_know_no_kernel() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Cuda").Against("Native", "Driver", "Compilation", "Gemm", "Memory", "Launch", "(root)", "Backend"));

    [Fact]
    public void Parsers_of_descriptions_know_no_diagnostic() =>
        Assert.Empty(Rooms.Of("ModelCompiler.Generators").Against("Parsing", "Stubs", "Diagnostics", "(root)"));

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
