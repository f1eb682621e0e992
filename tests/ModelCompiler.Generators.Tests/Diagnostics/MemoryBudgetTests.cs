using System.Reflection;
using Microsoft.CodeAnalysis;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;
using MemoryCost = ModelCompiler.Planning.MemoryCost;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>Budgets against what the same recipe, compiled and run, says that the same plan takes.</summary>
public class MemoryBudgetTests
{
    public static TheoryData<string> Arguments => BudgetPlans.Arguments;

    [Fact]
    public async Task MC0401_names_the_peak_the_excess_and_every_term_at_the_budget()
    {
        const string Arguments = "Batch = 3, Sequence = 50, Device = Device.Cpu";
        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(BudgetPlans.Recipe(BudgetPlans.Budget("1 MiB", Arguments))));
        MemoryCost cost = BudgetPlans.Cost(Arguments);

        Assert.Equal("MC0401", diagnostic.Id);
        Assert.Equal(DiagnosticSeverity.Error, diagnostic.Severity);
        Assert.Equal("\"1 MiB\"", TextOf(diagnostic));
        Assert.StartsWith(
            $"A training step of 'Recipe' needs {ByteSize.Format(cost.Peak)}, {cost.Peak - (1 << 20)} bytes more than the budget of 1 MiB, at batch 3 and sequence 50: ",
            diagnostic.Message());
        string[] terms = ["frozen weights", "adapters", "gradients", "optimizer", "activations", "workspace", "inputs", "overhead"];
        long[] bytes = [cost.FrozenWeights, cost.Adapters, cost.Gradients, cost.Optimizer, cost.Activations, cost.Workspace, cost.Inputs, cost.Overhead];
        Assert.EndsWith(": " + string.Join(", ", terms.Zip(bytes, (term, size) => $"{term} {ByteSize.Format(size)}")), diagnostic.Message());
        Assert.Equal(cost.Peak, bytes.Sum());
    }

    [Theory, MemberData(nameof(Arguments))]
    public async Task MC0401_holds_to_the_byte(string arguments)
    {
        long peak = BudgetPlans.Cost(arguments).Peak;
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(BudgetPlans.Recipe(BudgetPlans.Budget($"{peak}", arguments))));
        Assert.Equal("MC0401", Assert.Single(await AnalyzerRun.DiagnosticsOf(BudgetPlans.Recipe(BudgetPlans.Budget($"{peak - 1}", arguments)))).Id);
    }

    [Fact]
    public async Task MC0401_is_reported_for_each_budget_that_is_exceeded_and_for_no_other()
    {
        const string Greedy = "Batch = 8, Checkpointing = Checkpointing.None";
        const string Frugal = "Optimizer = Optimizer.AdamW8Bit, Rank = 32";
        Assert.True(BudgetPlans.Cost(Greedy).Peak > BudgetPlans.Cost(Frugal).Peak);
        string size = $"{BudgetPlans.Cost(Frugal).Peak}";
        string[] budgets = [BudgetPlans.Budget(size, Frugal), BudgetPlans.Budget("1 TiB", ""), BudgetPlans.Budget(size, Greedy), BudgetPlans.Budget("2 KiB", "Threads = 3")];

        Diagnostic[] diagnostics = await AnalyzerRun.DiagnosticsOf(BudgetPlans.Recipe(budgets));
        Assert.All(diagnostics, diagnostic => Assert.Equal("MC0401", diagnostic.Id));
        Assert.Equal(budgets[2..], diagnostics.Select(AttributeOf));
    }

    [Fact]
    public async Task MC0401_says_what_is_paged_beside_the_peak()
    {
        // A and B of five layers have more than the 100,000 elements from which both moments are paged.
        string source = BudgetPlans.Recipe(BudgetPlans.Budget("1 KiB", "Sequence = 1, Optimizer = Optimizer.PagedAdamW"))
            .With("Width = 64", "Width = 2048").With("Lora(Rank = 4)", "Lora(Rank = 64, Targets = Projections.Query)");
        const long Paged = 5 * 2 * (64 * 2048) * 2 * 4;
        Assert.EndsWith($"; plus {ByteSize.Format(Paged)} paged in host memory", Assert.Single(await AnalyzerRun.DiagnosticsOf(source)).Message());
    }

    [Fact]
    public async Task MC0401_yields_to_a_pragma_and_does_not_stop_the_compiler()
    {
        string source = "#pragma warning disable MC0401\n" + BudgetPlans.Recipe(BudgetPlans.Budget("1 KiB", ""));
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(source));
        Assert.Contains(GeneratorRun.Of(source).Files, file => file.HintName.StartsWith("Recipe.", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Lora", 32)]
    [InlineData("DyLora", 32)]
    [InlineData("QaLora(GroupSize = 4)", 16)]
    [InlineData("Lamda", 32)]
    [InlineData("LamdaPlusPlus", 32)]
    [InlineData("Dora", 32)]
    [InlineData("AdaLora", 32)]
    [InlineData("L1ra(Rank = 8, MaximumRank = 20)", 20)]
    public async Task MC0406_begins_where_planning_ends(string adapter, int largest)
    {
        string At(int rank) => BudgetPlans.Recipe(BudgetPlans.Budget("1 TiB", $"Rank = {rank}")).With("Lora(Rank = 4)", adapter);
        Assert.Empty(await AnalyzerRun.DiagnosticsOf(At(largest)));
        Assert.Equal("MC0406", Assert.Single(await AnalyzerRun.DiagnosticsOf(At(largest + 1))).Id);
    }

    [Fact]
    public async Task Every_mistake_in_a_budget_is_reported_at_once()
    {
        Diagnostic[] diagnostics = await AnalyzerRun.DiagnosticsOf(BudgetPlans.Recipe(
            BudgetPlans.Budget("much", "Batch = 0, Sequence = 1000, Device = (Device)2, Rank = 40, Threads = -5"), BudgetPlans.Budget("1 KiB", "Optimizer = (Optimizer)(-1)")));
        Assert.Equal(["MC0402", "MC0403", "MC0404", "MC0405", "MC0406", "MC0403", "MC0403"], diagnostics.Select(diagnostic => diagnostic.Id));
    }

    /// <summary>A new choice of a plan is one of a budget too, or stays at its default there for a reason.</summary>
    [Fact]
    public void A_budget_says_all_that_a_plan_does_but_its_finer_points()
    {
        string[] atDefault =
        [
            nameof(TrainingPlan.GradientAccumulation), // changes no memory
            nameof(TrainingPlan.Ranks), nameof(TrainingPlan.MoveRanks), // of a run that goes on from chosen ranks
            nameof(TrainingPlan.MinimumElementsFor8Bit), nameof(TrainingPlan.MinimumElementsForPaging), nameof(TrainingPlan.PageElements), nameof(TrainingPlan.ChunkRows), // fine tuning of an optimizer or of the loss
            nameof(TrainingPlan.ShareMemory), // for tests
        ];
        Assert.Equal(
            typeof(TrainingPlan).GetProperties().Select(property => property.Name).Except(atDefault).Order(StringComparer.Ordinal),
            typeof(ModelCompiler.MemoryBudgetAttribute).GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
                .Select(property => property.Name).Except(["Budget", "Device", "Threads"]).Order(StringComparer.Ordinal));
    }

    /// <summary>A new member of <see cref="Device"/> needs its profile, which its name is the backend's of.</summary>
    [Fact]
    public void Every_device_has_a_profile()
    {
        foreach (Device device in Enum.GetValues<Device>())
        {
            Assert.Equal(device.ToString(), device.Profile(2).Name, ignoreCase: true);
            Assert.Equal(device, Devices.Of(device.Profile(3)));
        }
    }

    private static string TextOf(Diagnostic diagnostic) => diagnostic.Location.SourceTree!.GetText().ToString(diagnostic.Location.SourceSpan);

    private static string AttributeOf(Diagnostic diagnostic) =>
        diagnostic.Location.SourceTree!.GetRoot().FindNode(diagnostic.Location.SourceSpan).AncestorsAndSelf().OfType<Microsoft.CodeAnalysis.CSharp.Syntax.AttributeSyntax>().First().ToString();
}
