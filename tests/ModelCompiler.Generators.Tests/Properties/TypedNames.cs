namespace ModelCompiler.Generators.Tests.Properties;

/// <summary>Names and numbers that somebody might type.</summary>
internal static class TypedNames
{
    public static readonly string[] All =
    [
        // Keywords, those of contexts too.
        "@class", "@event", "@default", "@object", "@int", "@base", "@this", "@namespace", "@switch", "@var", "@record", "@await", "@dynamic", "@field", "@value", "@partial", "_", "__",
        "@global", "@file", "@required", "@scoped", "@nint", "@async", "@yield", "@when", "@null", "@true", "@static", "@params", "layer", "act", "ops", "b", "k", "l",

        // Letters of other alphabets, combined and escaped ones.
        "Größe", "Слой", "层", "Ñandú", "ﬁne", "Ae\u0301", "ก\u0E33", "\\u0041bc", "İstanbul", "ǅ", "ﺍ", "_1", "A\u200DB",

        // What generated code and the framework have.
        "System", "ModelCompiler", "TorchSharp", "Tensor", "Task", "Layer", "LAYER", "Layers", "Attention", "attention", "FeedForward", "Norm", "Head", "Model", "Plan", "Parameter",
        "Index", "Query", "query", "localQuery", "Up", "Gate", "Backend", "Backward", "ForwardLayer", "LayerScale", "Checkpointing", "IBackend", "Frame", "Dim", "FrameBuffer", "MemoryCost",
        "Projection", "Module", "Tables", "Create", "ToString", "GetType", "Object", "String", "Console", "Exception", "Lora", "LoraAdapter", "Transformer", "Block", "First", "Second", "_first",
    ];

    public static readonly string[] Integers = ["0", "-1", "int.MinValue", "int.MaxValue", "1", "1 << 24", "(1 << 24) + 1", "65536", "3", "Constants_.Seven", "int.MaxValue / 2", "10000", "4096"];

    public static readonly string[] Fractions = ["0", "-1", "float.NaN", "float.PositiveInfinity", "float.MaxValue", "float.Epsilon", "1e-5f", "0.5f", "2", "1"];

    public const string Constants = "public static class Constants_ { public const int Seven = 7; }\n";
}
