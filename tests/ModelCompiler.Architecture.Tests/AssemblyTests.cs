namespace ModelCompiler.Architecture.Tests;

/// <summary>What each assembly may know of the others.</summary>
public class AssemblyTests
{
    [Theory]
    [InlineData("ModelCompiler.Abstractions")]
    [InlineData("ModelCompiler.Compiler", "ModelCompiler.Abstractions")]
    [InlineData("ModelCompiler.Generators", "ModelCompiler.Abstractions", "ModelCompiler.Compiler")]
    [InlineData("ModelCompiler", "ModelCompiler.Abstractions")]
    [InlineData("ModelCompiler.HuggingFace", "ModelCompiler.Abstractions", "ModelCompiler")]
    [InlineData("ModelCompiler.Testing", "ModelCompiler.Abstractions", "ModelCompiler")]
    [InlineData("ModelCompiler.Cuda", "ModelCompiler.Abstractions", "ModelCompiler")]
    [InlineData("ModelCompiler.CommandLine", "ModelCompiler.Abstractions", "ModelCompiler", "ModelCompiler.HuggingFace", "ModelCompiler.Cuda")]
    public void An_assembly_knows_only_those_below_it(string assembly, params string[] below) =>
        Assert.Empty(Rooms.Of(assembly).References.Where(name => name.StartsWith("ModelCompiler", StringComparison.Ordinal)).Except(below));

    [Theory]
    [InlineData("ModelCompiler.Abstractions")]
    [InlineData("ModelCompiler.Compiler")]
    [InlineData("ModelCompiler")]
    public void Neither_the_compiler_nor_the_runtime_knows_Roslyn(string assembly) =>
        Assert.DoesNotContain(Rooms.Of(assembly).References, name => name.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal));

    [Theory]
    [InlineData("ModelCompiler")]
    [InlineData("ModelCompiler.HuggingFace")]
    [InlineData("ModelCompiler.Cuda")]
    [InlineData("ModelCompiler.Testing")]
    public void Only_the_command_line_knows_a_terminal(string assembly) =>
        Assert.DoesNotContain(Rooms.Of(assembly).References, name => name is "Spectre.Console" or "System.CommandLine");

    [Fact]
    public void No_project_compiles_the_sources_of_another()
    {
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "ModelCompiler.sln")))
        {
            root = Path.GetDirectoryName(root)!;
        }

        string[] projects = Directory.GetFiles(root, "*.csproj", SearchOption.AllDirectories);
        Assert.True(projects.Length > 20);
        Assert.All(projects, project => Assert.DoesNotContain("<Compile Include=\"..", File.ReadAllText(project), StringComparison.Ordinal));
    }
}
