using System.Text.RegularExpressions;
using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Documentation;

/// <summary>The pages of the adapter methods against the methods that exist and the arguments their attributes have.</summary>
public class AdapterPagesTests
{
    private static readonly string s_folder = Path.Combine(Repository.Root, "docs/adapters");

    public static TheoryData<string> Attributes => [.. AdapterExpansion.All.Select(method => method.Attribute)];

    [Theory]
    [MemberData(nameof(Attributes))]
    public void Every_method_has_a_page_with_the_defaults_of_all_its_arguments_and_the_readme_leads_there(string attribute)
    {
        string method = AdapterExpansion.Find(attribute)!.Method;
        string name = PageOf(method);
        string page = File.ReadAllText(Path.Combine(s_folder, name));
        Assert.StartsWith($"# {method}\n\n`[{attribute}(", page, StringComparison.Ordinal);
        Assert.Contains("\n## When to choose it\n", page, StringComparison.Ordinal);
        Assert.Contains($"(docs/adapters/{name})", File.ReadAllText(Path.Combine(Repository.Root, "README.md")), StringComparison.Ordinal);

        string signature = page.Split("\n\n")[1].Replace('\n', ' ');
        Assert.EndsWith("Targets = Projections.All, FirstLayer = 0)]`", signature, StringComparison.Ordinal);
        Assert.All(
            AdapterExpansion.Find(attribute)!.Defaults.Arguments,
            a => Assert.Matches($@"[( ]{Regex.Escape($"{a.Name} = {a.Literal}")}[,)]", signature));
    }

    [Fact]
    public void Links_between_the_pages_lead_somewhere()
    {
        string[] pages = Directory.GetFiles(s_folder, "*.md");
        Assert.All(AdapterExpansion.All, method => Assert.Contains(Path.Combine(s_folder, PageOf(method.Method)), pages));
        foreach (string page in pages)
        {
            IEnumerable<string> links = Regex.Matches(File.ReadAllText(page), @"\]\(([^)]+)\)").Select(link => link.Groups[1].Value);
            Assert.All(links, link => Assert.True(File.Exists(Path.Combine(s_folder, link)), $"{page}: {link}"));
        }
    }

    /// <summary>"QA-LoRA": qalora.md, "LaMDA++": lamda-plus-plus.md.</summary>
    private static string PageOf(string method) => method.ToLowerInvariant().Replace("-", "").Replace("++", "-plus-plus") + ".md";
}
