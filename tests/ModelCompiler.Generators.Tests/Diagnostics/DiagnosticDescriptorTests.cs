using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Generators.Diagnostics;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Diagnostics;

/// <summary>The table of diagnostics against what must exist for each of them.</summary>
public class DiagnosticDescriptorTests
{
    private static readonly string[] AllIds = [.. DiagnosticDescriptors.All.Select(descriptor => descriptor.Id)];

    [Fact]
    public void Table_and_constants_agree()
    {
        IEnumerable<string> constants = typeof(ProblemIds).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
        Assert.Equal(constants, AllIds);
        Assert.Equal(AllIds.Order(StringComparer.Ordinal).Distinct(), AllIds);
    }

    [Fact]
    public void Every_diagnostic_has_a_case_or_a_test_of_its_own()
    {
        string[] own = [.. typeof(DiagnosticDescriptorTests).Assembly.GetTypes()
            .SelectMany(type => type.GetMethods())
            .Where(method => method.GetCustomAttribute<FactAttribute>() is not null)
            .Select(method => method.Name.Split('_')[0])];
        Assert.Empty(AllIds.Except([.. DescriptionAnalyzerTests.Cases.Select(@case => @case.Id), .. own]));
    }

    [Fact]
    public void Every_diagnostic_has_a_help_page_under_its_title_and_no_page_is_left_over()
    {
        string root = Repository.Root;
        foreach (DiagnosticDescriptor descriptor in DiagnosticDescriptors.All)
        {
            string page = File.ReadAllText(Path.Combine(root, descriptor.HelpLinkUri));
            Assert.StartsWith($"# {descriptor.Id}: {descriptor.Title.ToString(CultureInfo.InvariantCulture)}\n\n{descriptor.DefaultSeverity}.", page);
            Assert.Contains("## Example\n\n```csharp\n", page);
            Assert.Contains("## Fix\n", page);
        }

        Assert.Equal(AllIds, Directory.GetFiles(Path.Combine(root, "docs/diagnostics"), "MC*.md").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_diagnostic_has_its_release_row()
    {
        string folder = Path.Combine(Repository.Root, "generators/ModelCompiler.Generators");
        string rows = File.ReadAllText(Path.Combine(folder, "AnalyzerReleases.Shipped.md")) + File.ReadAllText(Path.Combine(folder, "AnalyzerReleases.Unshipped.md"));
        IEnumerable<string> expected = DiagnosticDescriptors.All.Select(descriptor =>
            $"{descriptor.Id} | {descriptor.Category} | {(descriptor.IsEnabledByDefault ? descriptor.DefaultSeverity.ToString() : "Disabled")} | {descriptor.Title.ToString(CultureInfo.InvariantCulture)}");
        Assert.Equal(expected, Regex.Matches(rows, @"^MC\d{4}.*$", RegexOptions.Multiline).Select(row => row.Value.TrimEnd()));
    }
}
