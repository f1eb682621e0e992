using System.Text.RegularExpressions;
using ModelCompiler.Generators.Tests.Testing;

namespace ModelCompiler.Generators.Tests.Documentation;

/// <summary>The checklists of CONTRIBUTING.md against the files of the tree that name their examples.</summary>
public partial class ChecklistTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Repository.Root, "CONTRIBUTING.md"));

    public static TheoryData<string> Titles => ["an operation", "an adapter", "a family of checkpoints", "a backend"];

    [Theory]
    [MemberData(nameof(Titles))]
    public void A_checklist_is_the_files_that_name_its_example(string title)
    {
        string section = s_text[s_text.IndexOf($"\n### Add {title}\n", StringComparison.Ordinal)..];
        section = section[..(section.IndexOf("\n##", 1, StringComparison.Ordinal) is > 0 and var end ? end : section.Length)];
        string example = Example().Match(section).Groups[1].Value;
        Assert.NotEqual("", example);
        string[] listed = [.. Item().Matches(section).Select(item => item.Groups[1].Value)];
        Assert.All(listed, path => Assert.True(Path.Exists(Path.Combine(Repository.Root, path)), $"{path} is listed, but does not exist."));

        var name = new Regex($@"\b{example}");
        string[] naming = [.. ProductFiles().Where(path => name.IsMatch(File.ReadAllText(Path.Combine(Repository.Root, path))))];
        Assert.NotEmpty(naming);
        Assert.All(naming, path => Assert.True(listed.Any(item => item == path || (item.EndsWith('/') && path.StartsWith(item, StringComparison.Ordinal))), $"{path} names {example}, but is not listed."));
        Assert.All(
            listed.Where(item => item.EndsWith(".cs", StringComparison.Ordinal) && !item.StartsWith("tests/", StringComparison.Ordinal)
                && !item.StartsWith("models/", StringComparison.Ordinal)),
            item => Assert.True(naming.Contains(item), $"{item} is listed, but does not name {example}."));
    }

    [Theory]
    [InlineData("CONTRIBUTING.md")]
    [InlineData("CHANGELOG.md")]
    public void Lines_are_no_longer_than_120_columns(string file) =>
        Assert.All(File.ReadLines(Path.Combine(Repository.Root, file)), line => Assert.InRange(line.Length, 0, 120));

    private static IEnumerable<string> ProductFiles() =>
        from room in (string[])["generators", "src"]
        from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, room), "*.cs", SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal)
        select path;

    [GeneratedRegex("^Example: `(\\w+)`", RegexOptions.Multiline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^- \[ \] `([^`]+)`: ", RegexOptions.Multiline)]
    private static partial Regex Item();
}
