extern alias compiler;

using compiler::ModelCompiler.Compiler.Graph;
using compiler::ModelCompiler.Compiler.Passes;
using compiler::ModelCompiler.Planning;
using ModelCompiler.Compiler.Tests.Compiled;
using Targets = compiler::ModelCompiler.Projections;

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
        CompiledModel model = Variants.Run(Llama.Architecture(32, Width, Hidden, Heads, Heads).WithLora(Targets.All, Rank));
        FrameDraft draft = selective ? model.Variants[^1].Selective : model.Variants[^1].None;
        Assert.Equal(elements + 7 * Rank + Heads + 2, KeptElements(draft));
    }

    [Fact]
    public void Adapters_on_query_and_value_keep_nothing_for_the_frozen_projections()
    {
        CompiledModel model = Variants.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.Query | Targets.Value, 2));
        string[] saved = Saved(model.Variants[^1].Selective);
        Assert.Equal(["Gate", "Key", "LogSumExp", "Middle", "Mixed", "Query", "QueryLow", "RstdNormed1", "RstdNormed2", "Up", "Value", "ValueLow"], saved);
    }

    [Fact]
    public void Layers_below_the_lowest_adapter_keep_nothing()
    {
        CompiledModel model = Variants.Run(Llama.Architecture(5, 8, 12, 2, 1).WithLora(Targets.All, 2, firstLayer: 3));
        Assert.Equal(["FrozenLayer", "LowestLayer", "Layer"], model.Variants.Select(v => v.Name));
        Assert.Equal([0, 3, 4], model.Variants.Select(v => v.FirstLayer));
        Assert.Empty(Saved(model.Variants[0].None));
        Assert.Empty(model.Variants[0].None.Backward);
    }

    [Fact]
    public void A_dropout_mask_is_never_kept()
    {
        CompiledModel model = Variants.Run(Llama.Architecture(2, 8, 12, 2, 1).WithLora(Targets.All, 2, dropout: 0.1));
        foreach (FrameDraft draft in new[] { model.Variants[^1].None, model.Variants[^1].Selective })
        {
            Assert.DoesNotContain(Saved(draft), name => name.Contains("Dropped", StringComparison.Ordinal));
            Assert.Contains(draft.Backward, op => op is { Recomputed: true, Row.Method: "Dropout" });
        }
    }

    private static string[] Saved(FrameDraft draft) =>
        draft.Table.Rows.Where(r => r.Kind == RowKind.Saved && r.Shares < 0).Select(r => r.Name).Order(StringComparer.Ordinal).ToArray();

    private static int KeptElements(FrameDraft draft)
    {
        var sizes = new Sizes(1, 1, 1, 1, Enumerable.Repeat(Rank, 7).ToArray());
        return draft.Table.Rows.Where(r => r.Kind is RowKind.Saved or RowKind.Input && r.Shares < 0).Sum(r => r.Columns.Evaluate(sizes));
    }
}
