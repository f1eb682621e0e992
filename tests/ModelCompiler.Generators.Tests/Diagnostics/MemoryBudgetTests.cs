using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Diagnostics;

public class MemoryBudgetTests
{
    [Fact]
    public async Task MC0401_names_the_peak_the_excess_and_every_term_at_the_budget()
    {
        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(Recipe("MemoryBudget(\"1 MiB\", Batch = 2, Sequence = 64)")));
        MemoryCost cost = Peak(new BudgetSpec("", 2, 64, 2));

        Assert.Equal("MC0401", diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Equal("\"1 MiB\"", diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan));
        Assert.StartsWith(
            $"A training step of 'Recipe' needs {ByteSize.Format(cost.Peak)}, {cost.Peak - (1 << 20)} bytes more than the budget of 1 MiB, at batch 2 and sequence 64: ",
            diagnostic.Message());
        string[] terms = ["frozen weights", "adapters", "gradients", "optimizer", "activations", "workspace", "inputs", "overhead"];
        long[] bytes = [cost.FrozenWeights, cost.Adapters, cost.Gradients, cost.Optimizer, cost.Activations, cost.Workspace, cost.Inputs, cost.Overhead];
        Assert.EndsWith(": " + string.Join(", ", terms.Zip(bytes, (term, size) => $"{term} {ByteSize.Format(size)}")), diagnostic.Message());
        Assert.Equal(cost.Peak, bytes.Sum());
    }

    [Fact]
    public async Task MC0401_holds_to_the_byte()
    {
        long peak = Peak(new BudgetSpec("", 1, 0, 3)).Peak;
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(Recipe($"MemoryBudget(\"{peak}\", Threads = 3)")));
        Assert.Equal("MC0401", Assert.Single(await AnalyzerRun.DiagnosticsOf(Recipe($"MemoryBudget(\"{peak - 1}\", Threads = 3)"))).Id);
    }

    [Fact]
    public async Task MC0401_is_reported_for_each_budget_that_is_exceeded()
    {
        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(Recipe("MemoryBudget(\"1 TiB\"), MemoryBudget(\"2 KiB\")")));
        Assert.Equal("\"2 KiB\"", diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan));
    }

    [Fact]
    public async Task MC0401_yields_to_a_pragma_and_does_not_stop_the_compiler()
    {
        string source = "#pragma warning disable MC0401\n" + Recipe("MemoryBudget(\"1 KiB\")");
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(source));
        Assert.Contains(GeneratorRun.Of(source).Files, file => file.HintName.StartsWith("Recipe.", StringComparison.Ordinal));
    }

    private static string Recipe(string budget) => $"{Sources.Tiny}[FineTune<Tiny>, Lora(Rank = 4)]\n[{budget}] public partial class Recipe;\n";

    private static MemoryCost Peak(BudgetSpec budget) =>
        ModelCompilation.Peak(GeneratorRun.Of(Recipe("MemoryBudget(\"1 TiB\")")).Specs.Single(spec => spec.Recipe is not null), budget);
}
