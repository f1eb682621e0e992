using ModelCompiler.Adapters;
using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;
using Stored = ModelCompiler.Storage;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Passes;

/// <summary>QA-LoRA's tables and operations (Xu et al. 2023).</summary>
public class QaLoraTests
{
    private static readonly ModelSpec Llama7B = Llama.Architecture(32, 4096, 11008, 32, 32, vocabulary: 32_000);

    /// <summary>The parameter counts of LLaMA-7B at rank 64: r (in / 32 + out) a projection where LoRA has r (in + out).</summary>
    [Fact]
    public void Llama_7B_has_the_published_number_of_parameters()
    {
        Assert.Equal(89_309_184, ModelCompilation.Tables(Llama7B.WithQaLora(Targets.All, 64, groupSize: 32)).ParameterCount(trainable: true));
        Assert.Equal(159_907_840, ModelCompilation.Tables(Llama7B.WithLora(Targets.All, 64)).ParameterCount(trainable: true));
    }

    [Fact]
    public void Groups_are_the_blocks_of_the_storage_where_no_size_is_given()
    {
        ModelSpec spec = Llama7B.WithQaLora(Targets.All, 16, groupSize: 0);
        spec = spec with
        {
            Recipe = spec.Recipe! with
            {
                Frozen = new EquatableArray<FrozenSpec>([new FrozenSpec(Stored.Int4, 32, false, Targets.All), new FrozenSpec(Stored.Int4, 0, false, Targets.Down)]),
            },
        };
        Assert.Empty(ModelValidation.Check(spec));
        Assert.Empty(ModelValidation.CheckWarnings(spec));
        ModelTables tables = ModelCompilation.Tables(spec);
        Assert.All(tables.Slots, slot => Assert.Equal(
            slot.Path.EndsWith("Down", StringComparison.Ordinal) ? 64 : 32, ((QaLoraOptions)slot.Options).GroupSize));
        Assert.All(tables.Slots, slot => Assert.Equal(slot.Path.EndsWith("Down", StringComparison.Ordinal) ? 11008 / 64 : 4096 / 32, slot.MaximumRank));
    }

    /// <summary>Query, key and value read one input, gate and up another: their adapters share its means where groups are the same.</summary>
    [Fact]
    public void Adapters_on_one_input_share_its_means_if_their_groups_are_the_same()
    {
        ModelSpec spec = Llama.Architecture(2, 64, 96, 4, 2).WithQaLora(Targets.All, 1, groupSize: 32);
        Assert.Equal(4, Means(spec));
        Assert.Equal(5, Means(spec with
        {
            Recipe = spec.Recipe! with
            {
                Adapters = new EquatableArray<AdapterSpec>(
                [
                    spec.Recipe.Adapters[0] with { Targets = Targets.All & ~Targets.Key },
                    spec.Recipe.Adapters[0] with { Targets = Targets.Key, Arguments = new EquatableArray<ArgumentSpec>([new ArgumentSpec("Rank", 1), new ArgumentSpec("GroupSize", 16)]) },
                ]),
            },
        }));

        static int Means(ModelSpec spec)
        {
            BlockVariant variant = Pipeline.Run(spec).Variants[^1];
            int forward = variant.None.Forward.Count(op => op.Operation.Method == "GroupMean");
            Assert.Equal(forward, variant.None.Backward.Count(op => op.Operation.Method == "GroupMeanGradient"));
            Assert.Equal(forward, variant.Decode.Forward.Count(op => op.Operation.Method == "GroupMean"));
            return forward;
        }
    }
}
