using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Text;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Diagnostics;

public class DescriptionAnalyzerTests
{
    internal static readonly DiagnosticCase[] Cases = [.. DescriptionCases.All, .. ShapeCases.All, .. RecipeCases.All, .. QaLoraCases.All, .. AdaLoraCases.All, .. BudgetCases.All];

    public static TheoryData<string> Names => [.. Cases.Select(@case => @case.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task Is_reported_where_it_is_written(string name)
    {
        DiagnosticCase @case = Find(name);
        (string source, (string Id, TextSpan Span)[] expected) = Markup.Parse(@case.Bad);
        CSharpCompilation compilation = Compilations.Create(source);
        SourceText text = compilation.SyntaxTrees[0].GetText();
        int header = text.Length - source.Length;

        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(compilation));
        (string id, TextSpan span) = Assert.Single(expected);
        Assert.Equal(id, diagnostic.Id);
        Assert.Equal(@case.Message, diagnostic.Message());
        Assert.Equal(source.Substring(span.Start, span.Length), text.ToString(diagnostic.Location.SourceSpan));
        Assert.Equal(span.Start + header, diagnostic.Location.SourceSpan.Start);
    }

    [Theory, MemberData(nameof(Names))]
    public async Task Is_not_reported_next_door(string name) => Assert.Empty(await AnalyzerRun.DiagnosticsOf(Find(name).Good));

    [Theory, MemberData(nameof(Names))]
    public async Task A_pragma_suppresses_it(string name)
    {
        DiagnosticCase @case = Find(name);
        Assert.Empty(await AnalyzerRun.DiagnosticsOf($"#pragma warning disable {@case.Id}\n{Markup.Parse(@case.Bad).Source}"));
    }

    [Theory, MemberData(nameof(Names))]
    public void A_description_with_an_error_generates_no_model(string name)
    {
        DiagnosticCase @case = Find(name);
        if (DiagnosticDescriptors.Of(@case.Id).DefaultSeverity == DiagnosticSeverity.Error)
        {
            bool recipe = @case.Bad.Contains("FineTune", StringComparison.Ordinal);
            Assert.DoesNotContain(GeneratorRun.Of(Markup.Parse(@case.Bad).Source).Specs, spec => (spec.Recipe is not null) == recipe);
        }
    }

    /// <summary>The C# compiler stops before its analyzers where declarations anywhere have errors, so errors are the generator's to report.</summary>
    [Theory, MemberData(nameof(Names))]
    public void An_error_is_shown_beside_other_errors(string name)
    {
        DiagnosticCase @case = Find(name);
        if (DiagnosticDescriptors.Of(@case.Id).DefaultSeverity == DiagnosticSeverity.Error)
        {
            GeneratorRun run = GeneratorRun.Of(Markup.Parse(@case.Bad).Source, "public class Broken : Missing { Nowhere Field; }");
            Assert.Equal(@case.Message, Assert.Single(run.Result.Diagnostics).Message());
            Assert.DoesNotContain(run.Output.GetDiagnostics(), diagnostic =>
                diagnostic.Severity == DiagnosticSeverity.Error && diagnostic.Location.SourceTree!.FilePath.EndsWith(".g.cs", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_editorconfig_suppresses_too()
    {
        string source = Markup.Parse(Find("MC0101").Bad).Source;
        CSharpCompilation compilation = Compilations.Create(source);
        Assert.Single(await AnalyzerRun.DiagnosticsOf(compilation));
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(compilation.WithOptions(compilation.Options.WithSyntaxTreeOptionsProvider(new Silent("MC0101")))));
    }

    [Fact]
    public async Task Every_mistake_of_a_description_is_reported_at_once()
    {
        Diagnostic[] diagnostics = await AnalyzerRun.DiagnosticsOf(Sources.Tiny
            .With("Context = 128", "Context = 0").With("Repeat = 5", "Repeat = -1").With("Heads = 8, KeyValueHeads = 4", "Heads = 9").With("Hidden = 172", "Hidden = 0"));
        Assert.Equal(["MC0106", "MC0107", "MC0101", "MC0105"], diagnostics.Select(diagnostic => diagnostic.Id));
    }

    [Fact]
    public async Task A_recipe_does_not_repeat_what_its_architecture_has_wrong()
    {
        string bad = Markup.Parse(Find("MC0101").Bad).Source;
        Assert.Equal("MC0101", Assert.Single(await AnalyzerRun.DiagnosticsOf(bad, Sources.TinyLora)).Id);
    }

    [Fact]
    public async Task MC0024_an_architecture_of_another_assembly_must_be_readable()
    {
        const string Blockless = "[Transformer(Vocabulary = 8, Width = 8, Context = 8), TokenEmbedding] public class Blockless;";
        CSharpCompilation library = Compilations.Create(Blockless).WithAssemblyName("Library");
        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(
            Compilations.Create("[FineTune<Blockless>, Lora] public partial class Recipe;").AddReferences(Emit(library))));
        Assert.Equal("MC0024", diagnostic.Id);
        Assert.Equal("'Blockless' in assembly 'Library' cannot be read as an architecture; build that assembly with this version of the compiler", diagnostic.Message());
        Assert.Equal("FineTune<Blockless>", diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan));
    }

    [Fact]
    public async Task MC0024_is_not_reported_for_a_readable_one()
    {
        CSharpCompilation library = Compilations.Create(Sources.Tiny).WithAssemblyName("Library").AddSyntaxTrees(Compilations.Parse("""
            public partial class Tiny
            {
                public class Attention;
                public class FeedForward;
                public partial class Layer
                {
                    public partial Attention Attention => new();
                    public partial FeedForward FeedForward => new();
                }
            }
            """, "WhatTheCompilerWrote.cs"));
        CSharpCompilation compilation = Compilations.Create(Sources.TinyLora).AddReferences(Emit(library));
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(compilation));
        Assert.Equal(["Attention", "FeedForward"], GeneratorRun.Of(compilation).Spec.Block.Sublayers.Select(sublayer => sublayer.TypeName));
    }

    private static DiagnosticCase Find(string name) => Cases.Single(@case => @case.Name == name);

    private static MetadataReference Emit(CSharpCompilation compilation)
    {
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join("\n", result.Diagnostics));
        return MetadataReference.CreateFromImage(image.ToArray());
    }

    private sealed class Silent(string id) : SyntaxTreeOptionsProvider
    {
        public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

        public override bool TryGetDiagnosticValue(SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity)
        {
            severity = ReportDiagnostic.Suppress;
            return diagnosticId == id;
        }

        public override bool TryGetGlobalDiagnosticValue(string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity)
        {
            severity = default;
            return false;
        }
    }
}
