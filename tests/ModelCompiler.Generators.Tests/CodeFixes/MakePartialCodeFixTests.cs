using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using ModelCompiler.CodeFixes;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.CodeFixes;

public class MakePartialCodeFixTests
{
    private const string Description = """
        [Transformer(Vocabulary = 512, Width = 64, Context = 128)]
        [TokenEmbedding]
        public partial class Story
        {
            /// <summary>One of the layers.</summary>
            [Block(Repeat = 5)]
            public partial class Layer
            {
                [Gelu(Hidden = 100)]
                public partial FeedForward FeedForward { get; } // Down again.
            }
        }
        """;

    [Theory]
    [InlineData("public partial class Story", "public class Story")]
    [InlineData("public partial class Layer", "public class Layer")]
    [InlineData("public partial FeedForward", "public FeedForward")]
    public async Task Adds_partial_as_the_last_modifier(string good, string bad) => Assert.Equal(Description, await FixAsync(Description.With(good, bad)));

    [Fact]
    public async Task Keeps_the_layout_of_a_declaration_without_modifiers()
    {
        string good = Description.With("public partial class Story", "partial class Story").With("public partial class Layer", "internal partial class Layer");
        Assert.Equal(good, await FixAsync(good.With("partial class Story", "class Story")));
    }

    [Fact]
    public void Can_fix_all() => Assert.Same(WellKnownFixAllProviders.BatchFixer, new MakePartialCodeFix().GetFixAllProvider());

    private static async Task<string> FixAsync(string source)
    {
        CSharpCompilation compilation = Compilations.Create(source);
        using var workspace = new AdhocWorkspace();
        Document document = workspace.AddProject("Sample", LanguageNames.CSharp).AddDocument("Source0.cs", compilation.SyntaxTrees[0].GetText());
        Diagnostic diagnostic = Assert.Single(await AnalyzerRun.DiagnosticsOf(compilation));
        Assert.Contains(diagnostic.Id, new MakePartialCodeFix().FixableDiagnosticIds);

        var actions = new List<CodeAction>();
        await new MakePartialCodeFix().RegisterCodeFixesAsync(new CodeFixContext(document, diagnostic, (action, _) => actions.Add(action), CancellationToken.None));
        CodeAction fix = Assert.Single(actions);
        Assert.Equal("Make partial", fix.Title);
        ApplyChangesOperation change = Assert.Single((await fix.GetOperationsAsync(CancellationToken.None)).OfType<ApplyChangesOperation>());
        string changed = (await change.ChangedSolution.GetDocument(document.Id)!.GetTextAsync()).ToString();
        return changed[(changed.IndexOf('\n', StringComparison.Ordinal) + 1)..]; // Without the using line.
    }
}
