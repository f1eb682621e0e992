using System.Globalization;
using System.Reflection;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Parsing;

/// <summary>What an attribute's property says it is by default is what the compiler makes of an attribute that does not give it.</summary>
public class AttributeDefaultsTests
{
    /// <summary>Arguments that an attribute must have.</summary>
    private static readonly Dictionary<string, string> Required = new(StringComparer.Ordinal)
    {
        ["Transformer"] = "Vocabulary = 512, Width = 64, Context = 128",
        ["Block"] = "Repeat = 2",
        ["Attention"] = "Heads = 4",
        ["SwiGlu"] = "Hidden = 96",
        ["GeGlu"] = "Hidden = 96",
        ["Gelu"] = "Hidden = 96",
        ["Frozen"] = "Storage.NF4",
        ["MemoryBudget"] = "\"4 GiB\"",
        ["QaLora"] = "GroupSize = 4",
    };

    private static readonly Type[] Attributes = [.. typeof(TransformerAttribute).Assembly.GetExportedTypes()
        .Where(type => type.IsSubclassOf(typeof(Attribute)) && !type.IsAbstract && type.Namespace == nameof(ModelCompiler))];

    /// <summary>Every property of every attribute that is not required.</summary>
    public static TheoryData<string, string> Properties => [.. Attributes.SelectMany(
        attribute => Optional(attribute),
        (attribute, property) => (ShortName(attribute), property.Name))];

    [Theory, MemberData(nameof(Properties))]
    public void A_default_written_out_changes_nothing(string name, string property)
    {
        Type attribute = Attributes.Single(type => ShortName(type) == name);
        PropertyInfo member = attribute.GetProperty(property)!;
        GeneratorRun bare = GeneratorRun.Of(Describe(name, Required.GetValueOrDefault(name, "")));
        GeneratorRun written = GeneratorRun.Of(Describe(name, With(Required.GetValueOrDefault(name, ""), $"{property} = {Literal(member.GetValue(Create(attribute))!)}")));

        Assert.Equal(2, bare.Specs.Count());
        Assert.Equal(Files(bare), Files(written));
        Assert.Equal(bare.Specs.Select(WithoutAdapters), written.Specs.Select(WithoutAdapters));
    }

    /// <summary>The comparison sees a default that differs.</summary>
    [Theory]
    [InlineData("RmsNorm", "Epsilon = 1e-6f")]
    [InlineData("L1ra", "GateRate = 0.021")]
    [InlineData("AdaLora", "Interval = 11")]
    public void Another_value_changes_the_output(string name, string argument) =>
        Assert.NotEqual(Files(GeneratorRun.Of(Describe(name, ""))), Files(GeneratorRun.Of(Describe(name, argument))));

    /// <summary>A model with a recipe in which the attribute stands once, and nothing that it does not need.</summary>
    private static string Describe(string name, string arguments)
    {
        // The attribute where it belongs; elsewhere what usually stands there.
        string One(string usual, params string[] others) =>
            name == usual.Split('(')[0] || others.Contains(name) ? $"[{name}({arguments})]" : usual.Length == 0 ? "" : $"[{usual}]";

        string[] adapters = [.. Attributes.Where(type => type.IsSubclassOf(typeof(AdapterAttribute))).Select(ShortName)];
        return $$"""
            {{One("Transformer(" + Required["Transformer"] + ")")}}
            {{One("TokenEmbedding")}} {{One("", "Head")}} {{One("", "LearnedPositions")}}
            public partial class Tiny
            {
                {{One("Block(Repeat = 2)")}}
                public partial class Layer
                {
                    {{One("RmsNorm", "LayerNorm")}} {{One("Attention(Heads = 4)")}} {{One("", "Rotary")}} {{One("", "QueryKeyNorm")}} {{One("", "LayerScale")}}
                    public partial Attention Attention { get; }

                    {{One("SwiGlu(Hidden = 96)", "GeGlu", "Gelu")}}
                    public partial FeedForward FeedForward { get; }
                }
            }

            [FineTune<Tiny>] {{One("Lora", adapters)}} {{One("", "Frozen")}} {{One("", "MemoryBudget")}}
            public partial class Recipe;
            """;
    }

    private static IEnumerable<PropertyInfo> Optional(Type attribute)
    {
        string required = Required.GetValueOrDefault(ShortName(attribute), "");
        return attribute.GetProperties().Where(property => property.CanWrite && !required.Contains($"{property.Name} =", StringComparison.Ordinal));
    }

    /// <summary>An adapter's arguments stay as they were given until its method reads them: of those the output speaks.</summary>
    private static ModelSpec WithoutAdapters(ModelSpec spec) =>
        spec.Recipe is { } recipe ? spec with { Recipe = recipe with { Adapters = default } } : spec;

    private static IEnumerable<(string Name, string Text)> Files(GeneratorRun run) => run.Files.Select(file => (file.HintName, file.SourceText.ToString()));

    private static object Create(Type attribute) => attribute.GetConstructors().Single() is var constructor && constructor.GetParameters() is { Length: > 0 } parameters
        ? constructor.Invoke([.. parameters.Select(parameter => parameter.ParameterType == typeof(string) ? "" : Activator.CreateInstance(parameter.ParameterType))])
        : Activator.CreateInstance(attribute)!;

    private static string Literal(object value) => value switch
    {
        bool b => b ? "true" : "false",
        float f => f.ToString("R", CultureInfo.InvariantCulture) + "f",
        double d => d.ToString("R", CultureInfo.InvariantCulture) + "d",
        Enum e => $"({e.GetType().FullName})({Convert.ToInt64(e, CultureInfo.InvariantCulture)})",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private static string With(string arguments, string argument) => arguments.Length == 0 ? argument : $"{arguments}, {argument}";

    private static string ShortName(Type attribute) => attribute.Name[..attribute.Name.LastIndexOf(nameof(Attribute), StringComparison.Ordinal)];
}
