namespace ModelCompiler.Architecture.Tests;

/// <summary>Inside an assembly a room uses those before it in the order, and none after it: so no rooms are in a circle.</summary>
public class RoomTests
{
    private static Rooms Abstractions => Rooms.Of("ModelCompiler.Abstractions", "ModelCompiler");

    [Theory]
    [InlineData("ModelCompiler.Abstractions", "ModelCompiler")]
    [InlineData("ModelCompiler")]
    [InlineData("ModelCompiler.HuggingFace")]
    [InlineData("ModelCompiler.Testing")]
    [InlineData("ModelCompiler.Cuda")]
    [InlineData("ModelCompiler.CommandLine")]
    [InlineData("ModelCompiler.Compiler")]
    [InlineData("ModelCompiler.Generators")]
    public void No_rooms_of_an_assembly_are_in_a_circle(string assembly, string? root = null)
    {
        Rooms rooms = Rooms.Of(assembly, root);
        string circles = string.Join(Environment.NewLine, rooms.Circles());
        Assert.NotEmpty(rooms.Names);
        Assert.True(circles.Length == 0, circles); // Assert.Empty would cut the message short
    }

    [Fact]
    public void Planning_knows_no_attribute_and_options_know_no_planning() =>
        AssertOrder(Abstractions, "(root)", "Operations", "Adapters", "Planning", "Attributes");

    [Fact]
    public void Rooms_of_the_compiler_use_earlier_rooms_only() => AssertOrder(
        Rooms.Of("ModelCompiler.Compiler"), "Description", "Graph", "Operations", "Adapters", "Lowering", "Passes", "Writing", "(root)", "Validation");

    [Fact]
    public void Parsers_of_descriptions_know_no_diagnostic() => AssertOrder(Rooms.Of("ModelCompiler.Generators"), "Parsing", "Stubs", "Diagnostics", "(root)");

    [Fact]
    public void Backends_know_no_model_and_models_know_no_adapter_method() => AssertOrder(
        Rooms.Of("ModelCompiler"),
        "(root)", "Files", "Reading", "Tensors", "Numerics", "Quantization", "Tokenizers", "Data", "Backends", "Safetensors", "Models", "Optimizers", "Adapters",
        "Generation", "Training");

    [Fact]
    public void Adapters_know_no_format_of_checkpoints() =>
        Assert.DoesNotContain(Rooms.Of("ModelCompiler").Uses("Adapters"), static used => used == "Safetensors");

    [Fact]
    public void Families_of_checkpoints_know_neither_config_files_nor_weights() => AssertOrder(
        Rooms.Of("ModelCompiler.HuggingFace"), "Tokenizers", "Families", "Config", "Checkpoints", "BitsAndBytes", "Weights", "Peft");

    [Fact]
    public void Rooms_of_the_test_kit_use_earlier_rooms_only() => AssertOrder(Rooms.Of("ModelCompiler.Testing"), "Null", "Reference", "Conformance");

    [Fact]
    public void Bindings_of_CUDA_know_no_kernel() =>
        AssertOrder(Rooms.Of("ModelCompiler.Cuda"), "Native", "Driver", "Compilation", "Gemm", "Memory", "Launch", "(root)", "Backend");

    [Fact]
    public void Options_know_no_run_and_runs_know_no_command() => AssertOrder(
        Rooms.Of("ModelCompiler.CommandLine"),
        "Terminal", "Results", "Files", "Options", "Estimators", "Runs", "Tuning", "Reports", "Commands", "Quickstart", "(root)");

    private static void AssertOrder(Rooms rooms, params string[] order)
    {
        string faults = string.Join(Environment.NewLine, rooms.Against(order));
        Assert.True(faults.Length == 0, faults);
    }
}
