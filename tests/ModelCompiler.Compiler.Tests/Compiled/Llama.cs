using ModelCompiler.Compiler.Description;
using ModelCompiler.Operations;
using Targets = ModelCompiler.Projections;

namespace ModelCompiler.Compiler.Tests.Compiled;

/// <summary>Descriptions of the Llama family for tests of passes.</summary>
internal static class Llama
{
    /// <summary>An architecture with Llama-2's block.</summary>
    public static ModelSpec Architecture(int layers, int width, int hidden, int heads, int keyValueHeads, int vocabulary = 32) => new(
        new TypeSpec("Tests", "Llama", "public"),
        vocabulary,
        width,
        Context: 64,
        new EmbeddingSpec(Tied: true),
        LearnedPositions: false,
        new HeadSpec(),
        FinalNorm: null,
        new BlockSpec("Layer", layers, Parallel: false, PostNorm: false, new EquatableArray<SublayerSpec>(
        [
            new SublayerSpec("Attention", "Attention", new NormSpec(NormKind.Rms, new NormShape(1e-5f), false), new AttentionSpec(new AttentionShape(heads, keyValueHeads, width / heads), false, false, new RotaryShape(width / heads, width / heads, 10_000)), null),
            new SublayerSpec("FeedForward", "FeedForward", new NormSpec(NormKind.Rms, new NormShape(1e-5f), false), null, new FeedForwardSpec(FeedForwardKind.SwiGlu, hidden, false)),
        ])));

    /// <summary>The same with LoRA adapters.</summary>
    public static ModelSpec WithLora(this ModelSpec spec, Targets targets, int rank, int firstLayer = 0, double dropout = 0) => spec with
    {
        Recipe = new RecipeSpec("Llama", default, new EquatableArray<AdapterSpec>(
        [
            new AdapterSpec("Lora", targets, firstLayer, new EquatableArray<ArgumentSpec>([new ArgumentSpec("Rank", rank), new ArgumentSpec("Dropout", dropout)])),
        ]), default),
    };

    /// <summary>The same with QA-LoRA adapters.</summary>
    public static ModelSpec WithQaLora(this ModelSpec spec, Targets targets, int rank, int groupSize, double dropout = 0) => spec with
    {
        Recipe = new RecipeSpec("Llama", default, new EquatableArray<AdapterSpec>(
        [
            new AdapterSpec("QaLora", targets, 0, new EquatableArray<ArgumentSpec>([new ArgumentSpec("Rank", rank), new ArgumentSpec("GroupSize", groupSize), new ArgumentSpec("Dropout", dropout)])),
        ]), default),
    };
}
