using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Tests.Testing;
using ModelCompiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Generators.Tests.Parsing;

public class ArchitectureParserTests
{
    [Fact]
    public void Llama_pieces_are_read_with_their_defaults_resolved()
    {
        ModelSpec expected = new(
            new TypeSpec("Sample.Models", "Tiny", "public"), 512, 64, 128, new EmbeddingSpec(Tied: true), LearnedPositions: false, new HeadSpec(), FinalNorm: null,
            new BlockSpec("Layer", 5, Parallel: false, PostNorm: false, new EquatableArray<SublayerSpec>(
            [
                new SublayerSpec("Attention", "Attention", new NormSpec(NormKind.Rms, new NormShape(1e-5f), false), new AttentionSpec(new AttentionShape(8, 4, 8), false, false, new RotaryShape(8, 8, 10_000)), null),
                new SublayerSpec("FeedForward", "FeedForward", new NormSpec(NormKind.Rms, new NormShape(1e-6f), false), null, new FeedForwardSpec(FeedForwardKind.SwiGlu, 172, false)),
            ])));

        Assert.Equal(expected, GeneratorRun.Of("namespace Sample.Models;\n" + Sources.Tiny).Spec);
    }

    [Fact]
    public void Gpt2_pieces_are_read_with_their_defaults_resolved()
    {
        ModelSpec expected = new(
            new TypeSpec("", "TinyGpt", "public"), 3, 48, 11, new EmbeddingSpec(Tied: false), LearnedPositions: true, new HeadSpec(), FinalNorm: null,
            new BlockSpec("Layer", 3, Parallel: false, PostNorm: false, new EquatableArray<SublayerSpec>(
            [
                new SublayerSpec("Attention", "Attention", new NormSpec(NormKind.Layer, new NormShape(1e-5f), true), new AttentionSpec(new AttentionShape(3, 3, 16), true, true, null), null),
                new SublayerSpec("FeedForward", "FeedForward", new NormSpec(NormKind.Layer, new NormShape(1e-5f), true), null, new FeedForwardSpec(FeedForwardKind.Gelu, 192, true)),
            ])));

        Assert.Equal(expected, GeneratorRun.Of(Sources.TinyGpt).Spec);
    }

    [Fact]
    public void Everything_that_can_be_said_is_read()
    {
        ModelSpec spec = GeneratorRun.Of("""
            [Transformer(Vocabulary = 100, Width = 32, Context = 16)]
            [TokenEmbedding(Scale = 5.5f), Head(Bias = true, SoftCap = 30), LayerNorm(Epsilon = 0.25f, Bias = false)]
            internal partial class Everything
            {
                [Block(Repeat = 2, Parallel = true, PostNorm = true)]
                internal partial class Body
                {
                    [GeGlu(Hidden = 7, Bias = true), LayerScale]
                    public partial Mlp First { get; }

                    public int Unrelated => 0;

                    [Attention(Heads = 3, KeyValueHeads = 1, HeadWidth = 10, Bias = true), Rotary(Theta = 500, Width = 4, Scaling = RotaryScaling.Llama3, Factor = 2, HighFrequencyFactor = 5), QueryKeyNorm(Epsilon = 0.5f)]
                    public partial Mixing Second { get; }
                }
            }
            """).Spec;

        ModelSpec expected = new(
            new TypeSpec("", "Everything", "internal"), 100, 32, 16, new EmbeddingSpec(false, 5.5f), false, new HeadSpec(true, 30), new NormSpec(NormKind.Layer, new NormShape(0.25f), false),
            new BlockSpec("Body", 2, Parallel: true, PostNorm: true, new EquatableArray<SublayerSpec>(
            [
                new SublayerSpec("First", "Mlp", null, null, new FeedForwardSpec(FeedForwardKind.GeGlu, 7, true), LayerScale: true),
                new SublayerSpec("Second", "Mixing", null, new AttentionSpec(new AttentionShape(3, 1, 10), true, false, new RotaryShape(10, 4, 500, FrequencyScaling.Llama3(2, 1, 5, 8192)), new NormSpec(NormKind.Rms, new NormShape(0.5f), false)), null),
            ])));
        Assert.Equal(expected, spec);
    }
}
