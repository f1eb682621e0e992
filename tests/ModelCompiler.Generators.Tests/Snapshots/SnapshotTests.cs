using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Snapshots;

/// <summary>A few generated files whole, so that a change to the writer is seen as a user will see it.</summary>
public class SnapshotTests
{
    [Theory]
    [InlineData("Tiny.Forward")]
    [InlineData("TinyLora.Parameters")]
    [InlineData("TinyLora.Buffers")]
    [InlineData("TinyLora.Forward")]
    [InlineData("TinyLora.Memory")]
    [InlineData("TinyLora.Tables")]
    [InlineData("TinyLora.Backward")]
    [InlineData("TinyGpt.Forward")]
    public void Generated_file(string name)
    {
        GeneratorRun run = GeneratorRun.Of("namespace Sample;\n" + Sources.Tiny + Sources.TinyLora + Sources.TinyGpt);
        Snapshot.Verify(name, Assert.Single(run.Files, file => file.HintName == $"Sample.{name}.g.cs").SourceText.ToString());
    }

    [Theory]
    [InlineData("TinyLora.TorchSharp")]
    public void Generated_file_where_TorchSharp_is_referenced(string name)
    {
        GeneratorRun run = GeneratorRun.Of("namespace Sample;\n" + Sources.Tiny + Sources.TinyLora, TorchStubs.Source);
        Snapshot.Verify(name, Assert.Single(run.Files, file => file.HintName == $"Sample.{name}.g.cs").SourceText.ToString());
    }

    [Fact]
    public void Stub_of_a_description_with_errors()
    {
        GeneratorRun run = GeneratorRun.Of("namespace Sample;\n" + Sources.Tiny.With("Hidden = 172", "Hidden = -1"));
        Snapshot.Verify("Tiny.Stub", Assert.Single(run.Files).SourceText.ToString());
    }
}
