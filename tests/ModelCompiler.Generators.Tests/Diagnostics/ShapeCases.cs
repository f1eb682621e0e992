using ModelCompiler.Generators.Tests.Testing;
using static ModelCompiler.Generators.Tests.Testing.Sources;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>MC01xx.</summary>
internal static class ShapeCases
{
    private const string Rotary = "KeyValueHeads = 4), Rotary]";

    public static readonly DiagnosticCase[] All =
    [
        new(Tiny.With("Heads = 8, KeyValueHeads = 4", "{|MC0101:Heads = 7|}"),
            "7 heads do not divide the model's width of 64: choose a divisor, or give HeadWidth",
            Tiny.With("Heads = 8, KeyValueHeads = 4", "Heads = 7, HeadWidth = 10")),
        new(Tiny.With("KeyValueHeads = 4", "{|MC0102:KeyValueHeads = 3|}"),
            "3 key and value heads do not divide 8 heads: each must serve the same number of query heads",
            Tiny.With("KeyValueHeads = 4", "KeyValueHeads = 1")),
        new(Tiny.With(Rotary, "KeyValueHeads = 4), Rotary({|MC0103:Width = 5|})]"),
            "A rotary width of 5 is odd: channels rotate in pairs",
            Tiny.With(Rotary, "KeyValueHeads = 4), Rotary(Width = 6)]")),
        new(Tiny.With("Heads = 8, KeyValueHeads = 4), Rotary]", "Heads = 4, HeadWidth = 9), {|MC0103:Rotary|}]"),
            "A rotary width of 9 is odd: channels rotate in pairs",
            Tiny.With("Heads = 8, KeyValueHeads = 4), Rotary]", "Heads = 4, HeadWidth = 9), Rotary(Width = 8)]"), "of the head"),
        new(Tiny.With(Rotary, "KeyValueHeads = 4), Rotary({|MC0104:Width = 10|})]"),
            "A rotary width of 10 is above the head width of 8",
            Tiny.With(Rotary, "KeyValueHeads = 4), Rotary(Width = 8)]")),
        new(Tiny.With("Vocabulary = 512", "{|MC0105:Vocabulary = 0|}"),
            "Transformer.Vocabulary is 0: it must be given and positive", Tiny.With("Vocabulary = 512", "Vocabulary = 1"), "vocabulary"),
        new(Tiny.With("Width = 64", "{|MC0105:Width = -64|}"),
            "Transformer.Width is -64: it must be given and positive", Tiny, "width"),
        new(Tiny.With("SwiGlu(Hidden = 172)", "{|MC0105:SwiGlu|}"),
            "SwiGlu.Hidden is 0: it must be given and positive", Tiny.With("Hidden = 172", "Hidden = 1"), "hidden"),
        new(Tiny.With("Attention(Heads = 8, KeyValueHeads = 4)", "{|MC0105:Attention(KeyValueHeads = 4)|}"),
            "Attention.Heads is 0: it must be given and positive", Tiny, "heads"),
        new(Tiny.With("KeyValueHeads = 4", "{|MC0105:KeyValueHeads = -1|}"),
            "Attention.KeyValueHeads is -1: it must be given and positive", Tiny.With("KeyValueHeads = 4", "KeyValueHeads = 0"), "key and value heads"),
        new(Tiny.With("KeyValueHeads = 4", "{|MC0105:HeadWidth = -8|}"),
            "Attention.HeadWidth is -8: it must be given and positive", Tiny.With("KeyValueHeads = 4", "HeadWidth = 0"), "head width"),
        new(Tiny.With(Rotary, "KeyValueHeads = 4), Rotary({|MC0105:Width = -2|})]"),
            "Rotary.Width is -2: it must be given and positive", Tiny.With(Rotary, "KeyValueHeads = 4), Rotary(Width = 0)]"), "rotary width"),
        new(Tiny.With("Context = 128", "{|MC0106:Context = 0|}"),
            "Transformer.Context is 0: give the longest sequence in tokens", Tiny.With("Context = 128", "Context = 1")),
        new(Tiny.With("Block(Repeat = 5)", "{|MC0107:Block|}"),
            "Block.Repeat is 0: give the number of layers", Tiny.With("Repeat = 5", "Repeat = 1")),
        new(Tiny.With("Epsilon = 1e-6f", "{|MC0108:Epsilon = 0|}"),
            "RmsNorm.Epsilon is 0: it must be positive and finite, or a row of zeros divides by zero", Tiny.With("Epsilon = 1e-6f", "Epsilon = 1e-12f")),
        new(Tiny.With("[TokenEmbedding(Tied = true)]", "[TokenEmbedding, LayerNorm({|MC0108:Epsilon = float.NaN|})]"),
            "LayerNorm.Epsilon is NaN: it must be positive and finite, or a row of zeros divides by zero",
            Tiny.With("[TokenEmbedding(Tied = true)]", "[TokenEmbedding, LayerNorm]"), "final"),
        new(Tiny.With(Rotary, "KeyValueHeads = 4), Rotary({|MC0109:Theta = 1|})]"),
            "Rotary.Theta is 1: it must be above 1 and finite", Tiny.With(Rotary, "KeyValueHeads = 4), Rotary(Theta = 1.5f)]")),
        new(Tiny.With("[TokenEmbedding(Tied = true)]", "[TokenEmbedding, Head({|MC0110:SoftCap = -30|})]"),
            "Head.SoftCap is -30: it must be positive, or 0 for none", Tiny.With("[TokenEmbedding(Tied = true)]", "[TokenEmbedding, Head(SoftCap = 30)]")),
        new(Tiny.With("Tied = true", "{|MC0111:Scale = 0|}"),
            "TokenEmbedding.Scale is 0: it must be finite and not zero", Tiny.With("Tied = true", "Scale = 8")),
    ];
}
