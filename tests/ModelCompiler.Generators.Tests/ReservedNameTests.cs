using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests;

/// <summary>Every name that generated code uses is either free for the user or refused with MC0025: never an error in generated code.</summary>
public partial class ReservedNameTests
{
    private const string Small = """
        [Transformer(Vocabulary = 8, Width = 8, Context = 8), TokenEmbedding, LearnedPositions]
        public partial class Small
        {
            [Block(Repeat = 2)]
            public partial class Layer
            {
                [RmsNorm, Attention(Heads = 2), Rotary, QueryKeyNorm, LayerScale]
                public partial Attention Attention { get; }

                [LayerNorm, SwiGlu(Hidden = 4)]
                public partial FeedForward FeedForward { get; }
            }
        }

        [FineTune<Small>, Lora(Rank = 2)]
        public partial class SmallLora;
        """;

    [Theory]
    [InlineData("partial FeedForward FeedForward", "partial {0} FeedForward")]
    [InlineData("partial FeedForward FeedForward", "partial FeedForward {0}")]
    public void A_name_of_generated_code_is_free_or_refused(string place, string renamed)
    {
        string[] names = [.. GeneratorRun.Of(Small, TorchStubs.Source).Files
            .SelectMany(file => file.SyntaxTree.GetRoot().DescendantTokens())
            .Where(token => token.IsKind(SyntaxKind.IdentifierToken))
            .Select(token => token.ValueText)
            .Distinct()
            .Where(name => char.IsUpper(name[0]) && !Regex.IsMatch(Small, $@"\b{name}\b"))
            .Order(StringComparer.Ordinal)];
        CSharpCompilation compilation = Compilations.Create([.. names.Select((name, i) => $"namespace N{i}_ {{ {Small.With(place, string.Format(null, renamed, name))} }}"), TorchStubs.Source]);
        GeneratorDriver driver = CSharpGeneratorDriver.Create([new ModelGenerator().AsSourceGenerator()], parseOptions: Compilations.ParseOptions)
            .RunGeneratorsAndUpdateCompilation(compilation, out Compilation output, out _);
        Assert.Null(driver.GetRunResult().Results.Single().Exception);

        Assert.True(names.Length > 100);
        Assert.Empty(output.GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => names[int.Parse(Number().Match(diagnostic.Location.SourceTree!.FilePath).Groups[1].Value, null)]).Distinct());
    }

    [GeneratedRegex(@"(?:\bN|Source)(\d+)")]
    private static partial Regex Number();
}
