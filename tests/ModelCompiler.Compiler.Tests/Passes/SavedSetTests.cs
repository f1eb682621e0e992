using ModelCompiler.Compiler;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Planning;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Passes;

/// <summary>What backward makes forward keep, against the published counts of elements a token and layer.</summary>
public class SavedSetTests
{
    private const int Width = 4096;
    private const int Hidden = 11008;
    private const int Heads = 32;
    private const int Rank = 16;

    // Naive 6d + 2k + 3f + 7r, recomputing 4d + 2k + 2f + 7r, and beside them a log-sum-exp a head and two reciprocal deviations.
    [Theory]
    [InlineData(false, 65_792)]
    [InlineData(true, 46_592)]
    public void Llama_2_7B_keeps_the_published_number_of_elements(bool selective, int elements)
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(32, Width, Hidden, Heads, Heads).WithLora(Targets.All, Rank));
        FrameDraft draft = selective ? model.Variants[^1].Selective : model.Variants[^1].None;
        Assert.Equal(elements + 7 * Rank + Heads + 2, KeptElements(draft));
    }

    // The same in bytes where activations are in 16 bits: 131,584 and 93,184, 14 r for adapters, and 4 for each statistic. Every layer keeps so much beside the residual stream.
    [Theory]
    [InlineData(Checkpointing.None, 131_584)]
    [InlineData(Checkpointing.Selective, 93_184)]
    public void Llama_2_7B_keeps_the_published_number_of_bytes(Checkpointing checkpointing, int bytes)
    {
        ModelTables tables = ModelCompilation.Tables(Llama.Architecture(32, Width, Hidden, Heads, Heads).WithLora(Targets.All, Rank));
        var plan = new TrainingPlan { Batch = 1, Sequence = 64, Checkpointing = checkpointing, SavedActivations = ModelCompiler.Storage.BFloat16 };
        StackedFrame[] frames = MemoryPlanner.Train(tables, plan, BackendProfile.Cpu(1) with { PadsRows = false }).Stack.Forward;
        const int Residual = 4 * Width;
        const int Narrowed = 2 * Width;
        Assert.Equal(64 * (bytes - Narrowed + Residual + (14 * Rank) + (4 * (Heads + 2))), frames[30].Output - frames[30].Input);
    }

    // A is frozen, so that x is not read: without recomputing, the two normed inputs 2d and the hidden of the feed-forward f go, and r elements
    // of S h come to each projection's r of h. Recomputing, x is not kept for LoRA either.
    [Theory]
    [InlineData(false, (2 * Width) + Hidden)]
    [InlineData(true, 0)]
    public void LaMDA_keeps_no_input_of_a_projection(bool selective, int inputs)
    {
        ModelSpec lora = Llama.Architecture(32, Width, Hidden, Heads, Heads).WithLora(Targets.All, Rank);
        FrameDraft Draft(ModelSpec spec) => Pipeline.Run(spec).Variants[^1] is var v && selective ? v.Selective : v.None;
        Assert.Equal(KeptElements(Draft(lora)) - inputs + 7 * Rank, KeptElements(Draft(lora.WithLamda())));
        Assert.Equal(46_592 + 14 * Rank + Heads + 2, KeptElements(Draft(lora.WithLamda())));
    }

    [Fact]
    public void LaMDA_rebuilds_no_input_of_a_projection()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.All, 2, dropout: 0.1).WithLamda());
        Assert.DoesNotContain(model.Variants[^1].Selective.Backward, op => op.Recomputed);
        Assert.DoesNotContain(model.Variants[^1].Selective.Backward, op => op.GradientOf?.Name.EndsWith(".A", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Adapters_on_query_and_value_keep_nothing_for_the_frozen_projections()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.Query | Targets.Value, 2));
        string[] saved = Saved(model.Variants[^1].Selective);
        Assert.Equal(["AttentionOutput", "Gate", "Key", "LogSumExp", "Query", "QueryLora", "ResidualMiddle", "RstdNormed1", "RstdNormed2", "Up", "Value", "ValueLora"], saved);
    }

    [Fact]
    public void Layers_below_the_lowest_adapter_keep_nothing()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(5, 8, 12, 2, 1).WithLora(Targets.All, 2, firstLayer: 3));
        Assert.Equal(["FrozenLayer", "LowestLayer", "Layer"], model.Variants.Select(v => v.Name));
        Assert.Equal([0, 3, 4], model.Variants.Select(v => v.Layers.First));
        Assert.Empty(Saved(model.Variants[0].None));
        Assert.Empty(model.Variants[0].None.Backward);
    }

    [Fact]
    public void A_dropout_mask_is_never_kept()
    {
        CompiledModel model = Pipeline.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.All, 2, dropout: 0.1));
        foreach (FrameDraft draft in new[] { model.Variants[^1].None, model.Variants[^1].Selective })
        {
            Assert.DoesNotContain(Saved(draft), name => name.Contains("Dropped", StringComparison.Ordinal));
            Assert.Contains(draft.Backward, op => op is { Recomputed: true, Operation.Method: "Dropout" });
        }
    }

    /// <summary>
    /// QA-LoRA on all projections: in place of what LoRA's adapters read, the means of each input are kept, once for all adapters on it,
    /// and backward recomputes nothing.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Group_means_are_kept_in_place_of_the_adapters_inputs(bool selective)
    {
        ModelSpec architecture = Llama.Architecture(2, 64, 96, 4, 2);
        FrameDraft lora = Draft(architecture.WithLora(Targets.All, 2));
        FrameDraft qaLora = Draft(architecture.WithQaLora(Targets.All, 2, groupSize: 32));
        string[] means = ["AttentionOutputMeans32", "HiddenMeans32", "Normed1Means32", "Normed2Means32"];

        // What LoRA alone keeps under each policy; attention's own gradient reads its output under both.
        string[] inputs = selective ? [] : ["Hidden", "Normed1", "Normed2"];
        Assert.Equal([.. Saved(lora).Except(inputs).Concat(means).Order(StringComparer.Ordinal)], Saved(qaLora));
        Assert.Equal(inputs, Saved(lora).Intersect(["Hidden", "Normed1", "Normed2"]));
        Assert.All(qaLora.Table.Buffers.Where(r => means.Contains(r.Name)), r => Assert.Equal(new Dim((r.Name == "HiddenMeans32" ? 96 : 64) / 32), r.Columns));
        Assert.DoesNotContain(qaLora.Backward, op => op.Recomputed);

        FrameDraft Draft(ModelSpec spec) => Pipeline.Run(spec).Variants[^1] is var variant && selective ? variant.Selective : variant.None;
    }

    // The seven adapters of LLaMA-7B keep r each and share the means of four inputs, 3d + f over the group size; LoRA's read 3d + f themselves.
    [Fact]
    public void Llama_7B_with_qa_lora_keeps_four_sets_of_means()
    {
        ModelSpec architecture = Llama.Architecture(32, Width, Hidden, Heads, Heads);
        int lora = KeptElements(Pipeline.Run(architecture.WithLora(Targets.All, Rank)).Variants[^1].None);
        int qaLora = KeptElements(Pipeline.Run(architecture.WithQaLora(Targets.All, Rank, groupSize: 32)).Variants[^1].None);
        Assert.Equal(lora - 2 * Width - Hidden + (3 * Width + Hidden) / 32, qaLora);
    }

    [Fact]
    public void A_dropout_mask_on_means_is_never_kept()
    {
        FrameDraft draft = Pipeline.Run(Llama.Architecture(2, 64, 96, 4, 2).WithQaLora(Targets.All, 2, groupSize: 32, dropout: 0.1)).Variants[^1].None;
        Assert.DoesNotContain(Saved(draft), name => name.Contains("Dropped", StringComparison.Ordinal));
        Assert.Equal(7, draft.Backward.Count(op => op is { Recomputed: true, Operation.Method: "Dropout" }));
        Assert.DoesNotContain(draft.Backward, op => op is { Recomputed: true, Operation.Method: "GroupMean" });
    }

    private static string[] Saved(FrameDraft draft) =>
        draft.Table.Buffers.Where(r => r.Kind == BufferKind.Saved && r.Shares < 0).Select(r => r.Name).Order(StringComparer.Ordinal).ToArray();

    private static int KeptElements(FrameDraft draft)
    {
        var sizes = new Sizes(1, 1, 1, 1, Enumerable.Repeat(Rank, 7).ToArray());
        return draft.Table.Buffers.Where(r => r.Kind is BufferKind.Saved or BufferKind.Input && r.Shares < 0).Sum(r => r.Columns.Evaluate(sizes));
    }
}
