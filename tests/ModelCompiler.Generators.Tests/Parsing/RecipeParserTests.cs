using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Parsing;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Parsing;

public class RecipeParserTests
{
    [Fact]
    public void A_recipe_is_its_architecture_under_its_own_name_with_adapters_storage_and_budgets()
    {
        CSharpCompilation compilation = Compilations.Create(Sources.Tiny, """
            using ModelCompiler.Planning;

            namespace Recipes;

            [FineTune<Tiny>]
            [Frozen(Storage.NF4, BlockSize = 128, DoubleQuantized = true)]
            [Frozen(Storage.BFloat16, Targets = Projections.Down)]
            [Lora(Rank = 4, Alpha = 0.5f, Targets = Projections.Query, RankStabilized = true)]
            [Lora(Targets = Projections.Down, FirstLayer = 3)]
            [MemoryBudget("4 GiB", Batch = 2, Sequence = 64)]
            [MemoryBudget("8GB", Threads = 4, Checkpointing = Checkpointing.Block, CheckpointEvery = 4, SavedActivations = Storage.BFloat16, Optimizer = Optimizer.AdamW8Bit, Rank = 3, Storage = Storage.NF4)]
            internal partial class Writer;
            """);
        ModelSpec architecture = Parse(compilation, "Tiny");
        ModelSpec recipe = Parse(compilation, "Recipes.Writer");

        RecipeSpec expected = new(
            "Tiny",
            new EquatableArray<FrozenSpec>(
            [
                new FrozenSpec(Storage.NF4, 128, true, Projections.All),
                new FrozenSpec(Storage.BFloat16, 0, false, Projections.Down),
            ]),
            new EquatableArray<AdapterSpec>(
            [
                new AdapterSpec("Lora", Projections.Query, 0, new EquatableArray<ArgumentSpec>([new("Rank", 4), new("Alpha", 0.5), new("RankStabilized", 1)])),
                new AdapterSpec("Lora", Projections.Down, 3, default),
            ]),
            new EquatableArray<BudgetSpec>(
            [
                new BudgetSpec("4 GiB", Device.Cpu, 2, new TrainingPlan { Batch = 2, Sequence = 64 }),
                new BudgetSpec("8GB", Device.Cpu, 4, new TrainingPlan
                {
                    Sequence = 128,
                    Checkpointing = Checkpointing.Block,
                    CheckpointEvery = 4,
                    SavedActivations = Storage.BFloat16,
                    Optimizer = Optimizer.AdamW8Bit,
                    Rank = 3,
                    Storage = WeightFormat.NF4(64, doubleQuantized: true),
                }),
            ]))
        {
            SharedTables = "global::Tiny.Tables",
        };
        Assert.Equal(architecture with { Type = new TypeSpec("Recipes", "Writer", "internal"), Recipe = expected }, recipe);
    }

    [Fact]
    public void Targets_not_given_are_all_projections()
    {
        GeneratorRun run = GeneratorRun.Of(Sources.Tiny, "[FineTune<Tiny>, Lora] public partial class R;");
        Assert.Equal(Projections.All, Assert.Single(run.Specs, spec => spec.Recipe is not null).Recipe!.Adapters[0].Targets);
    }

    private static ModelSpec Parse(CSharpCompilation compilation, string type) => DescriptionParser.Parse(compilation.GetTypeByMetadataName(type)!).Spec!;
}
