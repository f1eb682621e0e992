using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Diagnostics.Telemetry;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>The peak shown on request, against what the same recipe, compiled and run, says.</summary>
public class PeakAnalyzerTests
{
    private const string On = "[*.cs]\ndotnet_diagnostic.MC0408.severity = suggestion\n";

    public static TheoryData<string> Arguments => BudgetPlans.Arguments;

    [Theory, MemberData(nameof(Arguments))]
    public async Task MC0408_shows_the_peak_that_the_compiled_recipe_says(string arguments)
    {
        string budget = BudgetPlans.Budget("1 GiB", arguments);
        Diagnostic shown = Assert.Single(await Shown(BudgetPlans.Recipe(budget)));
        long peak = BudgetPlans.Cost(arguments).Peak;
        (int batch, int sequence) = BudgetPlans.Step(arguments);
        Assert.Equal("MC0408", shown.Id);
        Assert.Equal(DiagnosticSeverity.Info, shown.Severity);
        Assert.Equal(budget, TextOf(shown));
        Assert.Equal($"Peak {ByteSize.Format(peak)} at batch {batch} x {sequence} (budget 1 GiB, {ByteSize.Format((1 << 30) - peak)} to spare)", shown.Message());
    }

    [Fact]
    public async Task MC0408_without_a_budget_is_of_the_plan_that_a_budget_has_by_itself_and_at_the_name()
    {
        Diagnostic shown = Assert.Single(await Shown(BudgetPlans.Recipe()));
        Assert.Equal("Recipe", TextOf(shown));
        Assert.Equal($"Peak {ByteSize.Format(BudgetPlans.Cost("").Peak)} at batch 1 x 128 (no budget: on Cpu with 2 threads, Selective, AdamW)", shown.Message());
    }

    [Fact]
    public async Task MC0408_is_at_every_budget_that_holds_and_leaves_the_others_to_MC0401()
    {
        string[] budgets = [BudgetPlans.Budget("1 GiB", ""), BudgetPlans.Budget("1 KiB", "Threads = 3"), BudgetPlans.Budget("2 GiB", "Batch = 3")];
        Diagnostic[] shown = await Shown(BudgetPlans.Recipe(budgets));
        Assert.Equal(["MC0408", "MC0401", "MC0408"], shown.Select(diagnostic => diagnostic.Id));
        Assert.Equal([budgets[0], "\"1 KiB\"", budgets[2]], shown.Select(TextOf));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[*.cs]\ndotnet_diagnostic.MC0408.severity = none\n")]
    [InlineData("[*.cs]\ndotnet_diagnostic.MC0401.severity = suggestion\n")]
    public async Task MC0408_is_neither_shown_nor_planned_unless_asked_for(string editorconfig)
    {
        (Diagnostic[] shown, AnalyzerTelemetryInfo telemetry) = await Run(editorconfig, BudgetPlans.Recipe(BudgetPlans.Budget("1 GiB", "")));
        Assert.Empty(shown);
        Assert.Equal(0, telemetry.SymbolActionsCount);
        Assert.Equal(1, (await Run(On, BudgetPlans.Recipe())).Telemetry.SymbolActionsCount);
    }

    [Fact]
    public async Task MC0408_yields_to_a_pragma() => Assert.Empty(await Shown("#pragma warning disable MC0408\n" + BudgetPlans.Recipe()));

    [Theory]
    [InlineData("Lora(Rank = 0)", "MC0201")]
    [InlineData("Lora(Rank = 4), MemoryBudget(\"1 GiB\", Threads = 0)", "MC0403")]
    public async Task MC0408_waits_until_a_recipe_is_sound(string attributes, string problem) =>
        Assert.Equal(problem, Assert.Single(await Shown(BudgetPlans.Recipe().With("Lora(Rank = 4)", attributes))).Id);

    [Fact]
    public async Task MC0408_is_of_recipes_only() => Assert.Empty(await Shown(Sources.Tiny));

    private static async Task<Diagnostic[]> Shown(string source) => (await Run(On, source)).Shown;

    /// <summary>Runs both analyzers as a build does that finds this .editorconfig beside the sources.</summary>
    private static async Task<(Diagnostic[] Shown, AnalyzerTelemetryInfo Telemetry)> Run(string editorconfig, string source)
    {
        AnalyzerConfigSet configuration = AnalyzerConfigSet.Create(new[] { AnalyzerConfig.Parse(editorconfig, "/sample/.editorconfig") });
        CSharpCompilation compilation = Compilations.Create(source);
        GeneratorRun run = GeneratorRun.Of(compilation.WithOptions(compilation.Options.WithSyntaxTreeOptionsProvider(new Configured(configuration))));
        var peaks = new PeakAnalyzer();
        CompilationWithAnalyzers analysis = run.Output.WithAnalyzers([new DescriptionAnalyzer(), peaks]);
        Diagnostic[] shown = [.. AnalyzerRun.Reported(run, compilation).Concat(await analysis.GetAnalyzerDiagnosticsAsync()).OrderBy(diagnostic => diagnostic.Location.SourceSpan.Start)];
        return (shown, await analysis.GetAnalyzerTelemetryInfoAsync(peaks, CancellationToken.None));
    }

    private static string TextOf(Diagnostic diagnostic) => diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan);

    private sealed class Configured(AnalyzerConfigSet configuration) : SyntaxTreeOptionsProvider
    {
        public override GeneratedKind IsGenerated(SyntaxTree tree, CancellationToken cancellationToken) => GeneratedKind.Unknown;

        public override bool TryGetDiagnosticValue(SyntaxTree tree, string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
            configuration.GetOptionsForSourcePath("/sample/" + tree.FilePath).TreeOptions.TryGetValue(diagnosticId, out severity);

        public override bool TryGetGlobalDiagnosticValue(string diagnosticId, CancellationToken cancellationToken, out ReportDiagnostic severity) =>
            configuration.GlobalConfigOptions.TreeOptions.TryGetValue(diagnosticId, out severity);
    }
}
