using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests;

/// <summary>What an edit re-runs. Each starts from a model and a recipe in files of their own.</summary>
public class IncrementalityTests
{
    private static readonly CSharpCompilation Before = Compilations.Create(Sources.Tiny, Sources.TinyLora, "public class Unrelated;");

    [Theory]
    [InlineData(0, "// A comment.\n" + Sources.Tiny)]
    [InlineData(1, "// A comment.\n" + Sources.TinyLora)]
    [InlineData(2, "public class Unrelated { public int Changed; }")]
    public void An_edit_that_changes_no_description_compiles_nothing(int file, string text)
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Replace(file, text));
        Assert.Equal(2, after.Reasons(TrackingNames.Description).Count());
        Assert.All(after.Reasons(TrackingNames.Description), GeneratorRun.AssertCached);
        Assert.All(after.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void A_new_unrelated_file_compiles_nothing()
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Before.AddSyntaxTrees(Compilations.Parse("public class New;", "New.cs")));
        Assert.All(after.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void A_new_rank_compiles_the_recipe_only()
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Replace(1, Sources.TinyLora.With("Rank = 4", "Rank = 5")));
        Assert.Equal([IncrementalStepRunReason.Cached, IncrementalStepRunReason.Modified], after.Reasons(TrackingNames.Files));
    }

    [Theory]
    [InlineData("[MemoryBudget(\"4 GiB\", Batch = 2)]")]
    [InlineData("[MemoryBudget(\"1 KiB\"), MemoryBudget(\"2 KiB\", Batch = 2)]")]
    public void A_new_budget_compiles_nothing(string budget)
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Replace(1, budget + Sources.TinyLora));
        Assert.All(after.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void A_new_size_of_the_architecture_in_another_file_compiles_its_recipe_too()
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Replace(0, Sources.Tiny.With("Hidden = 172", "Hidden = 173")));
        Assert.Equal([IncrementalStepRunReason.Modified, IncrementalStepRunReason.Modified], after.Reasons(TrackingNames.Files));
        Assert.All(after.Specs, spec => Assert.Equal(173, spec.Block.Sublayers[1].FeedForward!.Hidden));
    }

    [Fact]
    public void A_new_model_leaves_the_others_cached()
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Before.AddSyntaxTrees(Compilations.Parse(Sources.TinyGpt, "Gpt.cs")));
        Assert.Equal(
            [IncrementalStepRunReason.Cached, IncrementalStepRunReason.New, IncrementalStepRunReason.Cached],
            after.Reasons(TrackingNames.Files));
        Assert.Single(after.Specs, spec => spec.Type.Name == "TinyGpt");
    }

    [Fact]
    public void TorchSharp_among_the_references_compiles_all_once_and_then_nothing_on_an_unrelated_edit()
    {
        GeneratorRun before = GeneratorRun.Of(Before);
        Assert.DoesNotContain(before.Files, file => file.HintName.Contains("TorchSharp", StringComparison.Ordinal));

        CSharpCompilation with = Before.AddSyntaxTrees(Compilations.Parse(TorchStubs.Source, "Torch.cs"));
        GeneratorRun after = before.After(with);
        Assert.All(after.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Modified, reason));
        Assert.Equal(["Tiny.TorchSharp.g.cs", "TinyLora.TorchSharp.g.cs"], after.Files.Select(file => file.HintName).Where(name => name.Contains("TorchSharp", StringComparison.Ordinal)));

        GeneratorRun edited = after.After(with.AddSyntaxTrees(Compilations.Parse("public class New;", "New.cs")));
        Assert.All(edited.Reasons(TrackingNames.TorchSharp), GeneratorRun.AssertCached);
        Assert.All(edited.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    [Fact]
    public void A_description_that_becomes_wrong_loses_its_files_and_its_recipes()
    {
        GeneratorRun after = GeneratorRun.Of(Before).After(Replace(0, Sources.Tiny.With("Hidden = 172", "Hidden = -1")));
        Assert.Equal(["Tiny.Stub.g.cs"], after.Files.Select(file => file.HintName));
        Assert.All(after.Reasons(TrackingNames.Files), reason => Assert.Equal(IncrementalStepRunReason.Removed, reason));
    }

    [Fact]
    public void The_culture_of_the_build_does_not_reach_the_generated_text()
    {
        string source = Sources.Tiny.With("Tied = true", "Scale = -0.5f") + Sources.TinyLora.With("Alpha = 8", "Alpha = 0.5f");
        CultureInfo before = CultureInfo.CurrentCulture;
        var finnish = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        finnish.NumberFormat.NumberDecimalSeparator = ",";
        finnish.NumberFormat.NegativeSign = "\u2212";
        string[] invariant = Texts(source);
        try
        {
            // Globalization is invariant here, so what matters of fi-FI is set by hand: its decimal comma and its minus sign.
            CultureInfo.CurrentCulture = finnish;
            Assert.Equal("\u22120,5", (-0.5).ToString(CultureInfo.CurrentCulture));
            Assert.Equal(invariant, Texts(source));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    private static string[] Texts(string source) => [.. GeneratorRun.Of(source).Files.Select(file => file.SourceText.ToString())];

    private static CSharpCompilation Replace(int file, string text)
    {
        SyntaxTree old = Before.SyntaxTrees[file];
        return Before.ReplaceSyntaxTree(old, Compilations.Parse(text, old.FilePath));
    }
}
