using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Compiler;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests;

/// <summary>What a user may type around a description without any harm, and how far harm goes where there is some.</summary>
public class AnythingTypedTests
{
    public static TheoryData<string> Harmless =>
    [
        // Keywords, everywhere.
        """
        namespace Two.Nested.@class
        {
            [Transformer(Vocabulary = 2, Width = 2, Context = 1), TokenEmbedding(Tied = true)]
            internal partial class @default
            {
                [Block(Repeat = 1000)]
                internal partial class @struct
                {
                    [LayerNorm(Bias = false), Attention(Heads = 1), Rotary] internal partial @object @event { get; }
                    [LayerNorm, Gelu(Hidden = 1, Bias = false)] internal partial @int @switch { get; }
                }
            }
            [FineTune<@default>, Lora(Rank = 1)] internal partial class @base;
        }
        """,

        // Names that differ in case alone, of namespaces, classes, sublayers.
        "namespace A {" + Sources.Tiny + Sources.Tiny.With("class Tiny", "class tiny") + Sources.Tiny.With("class Tiny", "class TINY") + "} namespace a {" + Sources.Tiny + "}",
        Sources.Tiny.With("Attention Attention {", "Attention Mix {").With("FeedForward FeedForward {", "FeedForward mix {"),
        Sources.Tiny.With("Attention Attention {", "Attention query {").With("FeedForward FeedForward {", "FeedForward _query {"),

        // Letters that file names cannot have, escapes.
        "namespace Ä\u0308.ก\u0E33 {" + Sources.Tiny.With("class Tiny", "class Ae\u0301").With("class Layer", "class 层").With("Attention Attention {", "Слой \\u0041bc {") + "}",

        // The project's own types of the runtime's names, near and far.
        "namespace N; public class Tensor; public class Norm; public class Dim; public enum Checkpointing { None } public class Plan; public class FrameBuffer; public class LoraAdapter;\n" + Sources.Tiny + Sources.TinyLora,
        "namespace N { namespace Tensor { public class Any; } namespace Inner {" + Sources.Tiny + Sources.TinyLora + "} public class Norm; }",
        "namespace N { public class System; public class ModelCompiler; public class Task; public class Int32; public class Object;\n" + Sources.Tiny + Sources.TinyLora + "}",
        Sources.Tiny + Sources.TinyLora.With("class TinyLora;", "class TinyLora { public int BackendProfile => 1; public class WeightFormat; public void BufferKind() { } }"),

        // Other parts of the class, in any shape.
        Sources.Tiny + "public partial class Tiny : System.IEquatable<Tiny> { public bool Equals(Tiny? other) => other == this; static Tiny() { } ~Tiny() { } public static int Count; public int this[int i] => i; }",
        Sources.Tiny + "unsafe partial class Tiny { public int* Pointer; public static bool operator true(Tiny x) => true; public static bool operator false(Tiny x) => false; }",
        "#nullable disable\n" + Sources.Tiny + Sources.TinyLora.With("public partial", "sealed partial"),
        Sources.Tiny.With("[RmsNorm]", "private class Helper { public int Index; } public int Depth => Index; public override string ToString() => \"\";\n[RmsNorm]"),

        // Attributes and numbers by other names.
        "file static class Sizes { public const int Width = 64; }\n" + Sources.Tiny.With("Width = 64", "Width = Sizes.Width * 2 / 2"),
    ];

    [Theory, MemberData(nameof(Harmless))]
    public void It_compiles(string source)
    {
        foreach (string[] sources in new[] { new[] { source }, [source, TorchStubs.Source] })
        {
            GeneratorRun run = GeneratorRun.Of(sources);
            Assert.Empty(run.Result.Diagnostics);
            Assert.NotEmpty(run.Specs);
            Assert.Empty(Errors(run.Output));
        }
    }

    [Fact]
    public void Attributes_may_have_aliases_and_the_project_imports_of_its_own()
    {
        CSharpCompilation compilation = Compilations.Create(Sources.Tiny, Sources.TinyLora.With("[Lora(", "[L("), "namespace Foreign { public class Tensor; public class Norm; public class Dim; }");
        SyntaxTree usings = CSharpSyntaxTree.ParseText("global using Foreign; global using L = ModelCompiler.LoraAttribute; global using Plan = Foreign.Norm;", Compilations.ParseOptions, "Usings.cs");
        GeneratorRun run = GeneratorRun.Of(compilation.AddSyntaxTrees(usings));
        Assert.Equal(2, run.Specs.Count());
        Assert.Empty(Errors(run.Output));

        GeneratorRun within = GeneratorRun.Of(Compilations.Create("namespace N;\n" + Sources.Tiny + Sources.TinyLora, "namespace Foreign { public class Tensor; public class Norm; public class Dim; }").AddSyntaxTrees(usings));
        Assert.Empty(Errors(within.Output));
    }

    [Theory]
    [InlineData("[Transformer(Vocabulary = 512, Width = 64, Context = 128)] partial class Tiny;")]
    [InlineData("[TokenEmbedding] partial class Tiny;")]
    [InlineData("partial class Tiny { [Block(Repeat = 5)] partial class Layer { [RmsNorm] public partial Attention Attention { get; } } }")]
    public void What_is_declared_twice_is_the_users_error_alone(string more)
    {
        GeneratorRun run = GeneratorRun.Of(Sources.Tiny, more);
        Assert.DoesNotContain(Errors(run.Output), diagnostic => IsGenerated(diagnostic));
        Assert.NotEmpty(Errors(run.Output));
    }

    [Fact]
    public void Every_prefix_of_a_description_is_met_without_failing()
    {
        string source = Sources.Tiny + Sources.TinyLora;
        for (int length = 0; length < source.Length; length += 7)
        {
            Assert.Null(Run(new ModelGenerator(), Compilations.Create(source[..length]), out _).GetRunResult().Results.Single().Exception);
        }
    }

    [Theory]
    [InlineData(LanguageVersion.CSharp8)]
    [InlineData(LanguageVersion.CSharp11)]
    [InlineData(LanguageVersion.CSharp12)]
    public void MC0026_is_all_that_is_said_of_a_version_that_is_too_low_but_what_the_users_own_lines_need(LanguageVersion version)
    {
        var options = new CSharpParseOptions(version);
        CSharpCompilation compilation = Compilations.Create().AddSyntaxTrees(CSharpSyntaxTree.ParseText("using ModelCompiler;\n" + Sources.Tiny, options, "Source0.cs"));
        GeneratorDriver driver = CSharpGeneratorDriver.Create([new ModelGenerator().AsSourceGenerator()], parseOptions: options).RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out var reported);
        Assert.Null(driver.GetRunResult().Results.Single().Exception);
        Assert.Equal($"'Tiny' needs C# 13.0 or later, but the project has C# {version.ToDisplayString()}; raise its LangVersion or remove it", Assert.Single(reported).Message());
        Assert.DoesNotContain(Errors(output), IsGenerated);
        Assert.DoesNotContain(Errors(output), diagnostic => diagnostic.Id == "CS0246");
    }

    [Fact]
    public void MC0099_a_defect_is_said_of_one_class_and_the_others_compile()
    {
        var generator = new ModelGenerator((spec, cancellation, torch) =>
            spec.Type.Name == "Tiny" ? throw new InvalidOperationException("nobody thought\nof this") : ModelCompilation.Compile(spec, cancellation, torch));
        CSharpCompilation compilation = Compilations.Create("namespace A.B;\n" + Sources.Tiny + Sources.TinyLora + Sources.TinyGpt);
        GeneratorDriver driver = Run(generator, compilation, out Compilation output);

        GeneratorRunResult result = driver.GetRunResult().Results.Single();
        Assert.Null(result.Exception);
        Diagnostic defect = Assert.Single(result.Diagnostics);
        Assert.Equal("MC0099", defect.Id);
        Assert.StartsWith("'Tiny' could not be compiled because of a bug in the compiler, not in the description; report it with the description and 'InvalidOperationException: nobody thought of this", defect.Message());
        Assert.Equal("Tiny", compilation.SyntaxTrees[0].GetText().ToString(defect.Location.SourceSpan));
        Assert.Contains(result.GeneratedSources, file => file.HintName == "A.B.TinyLora.Forward.g.cs");
        Assert.Contains(result.GeneratedSources, file => file.HintName == "A.B.TinyGpt.Forward.g.cs");
        Assert.Empty(Errors(output));
    }

    [Fact]
    public void An_overflow_of_bytes_is_the_budgets_error()
    {
        string source = Sources.Tiny.With("Width = 64", "Width = 1 << 16").With("Repeat = 5", "Repeat = 10000").With("Context = 128", "Context = 1 << 24").With("Hidden = 172", "Hidden = 1 << 14")
            + Sources.TinyLora.With("[Lora", "[MemoryBudget(\"1 GiB\", Batch = 127)]\n[Lora");
        GeneratorRun run = GeneratorRun.Of(source);
        Assert.Equal(
            "MemoryBudget.Batch is 127; it must be smaller, or Sequence smaller than 16777216; a step of so many tokens has more bytes than can be counted",
            Assert.Single(run.Result.Diagnostics, diagnostic => diagnostic.Id == "MC0403").Message());
    }

    private static GeneratorDriver Run(ModelGenerator generator, CSharpCompilation compilation, out Compilation output) =>
        CSharpGeneratorDriver.Create([generator.AsSourceGenerator()], parseOptions: Compilations.ParseOptions).RunGeneratorsAndUpdateCompilation(compilation, out output, out _);

    private static Diagnostic[] Errors(Compilation output) => [.. output.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)];

    private static bool IsGenerated(Diagnostic diagnostic) => diagnostic.Location.SourceTree?.FilePath.EndsWith(".g.cs", StringComparison.Ordinal) == true;
}
