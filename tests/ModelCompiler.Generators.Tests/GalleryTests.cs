using System.Reflection;
using System.Text.Json;
using Microsoft.CodeAnalysis.Emit;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests;

/// <summary>The generated files of all models of the repository.</summary>
public class GalleryTests
{
    private const int WidestLine = 140;
    private const int MostLines = 24_000;

    private static readonly Lazy<GeneratorRun> s_gallery = new(() => GeneratorRun.Of(
        [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "models"), "*.cs").Order(StringComparer.Ordinal).Select(File.ReadAllText)]));

    [Fact]
    public void No_line_is_wider_than_140_columns() => Assert.Empty(
        from file in s_gallery.Value.Files
        from line in file.SourceText.Lines
        where line.Span.Length > WidestLine
        select $"{file.HintName}: {line}");

    [Fact]
    public void All_files_together_have_at_most_24_000_lines()
    {
        Assert.True(s_gallery.Value.Specs.Count() >= 35);
        Assert.InRange(s_gallery.Value.Files.Sum(file => file.SourceText.ToString().Count(character => character == '\n')), 1, MostLines);
    }

    /// <summary>A recipe's tables begin with its architecture's, and buffers are read from text: what comes out must be what the compiler had.</summary>
    [Fact]
    public void Tables_at_run_time_are_those_of_the_compiler()
    {
        using var image = new MemoryStream();
        EmitResult result = s_gallery.Value.Output.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics));
        Assembly assembly = Assembly.Load(image.ToArray());
        foreach (ModelSpec spec in s_gallery.Value.Specs)
        {
            ModelTables expected = ModelCompilation.Tables(spec);
            var tables = (ModelTables)assembly.GetType($"{spec.Type.Namespace}.{spec.Type.Name}", throwOnError: true)!.GetProperty("Tables", BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly)!.GetValue(null)!;
            Assert.Equal(JsonSerializer.Serialize(expected), JsonSerializer.Serialize(tables));
            Assert.Equal(expected.Slots, tables.Slots);
        }
    }
}
