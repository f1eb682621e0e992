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

    [Fact]
    public void Lines_are_no_longer_than_120_columns()
    {
        string[] documents = [.. Files(".", "*.md")];
        Assert.Contains("README.md", documents);
        Assert.Contains("docs/memory.md", documents);
        Assert.Empty(
            from document in documents
            from line in Prose(File.ReadLines(Path.Combine(Repository.Root, document)))
            where line.Text.Length > 120
            select $"{document}:{line.Number} has {line.Text.Length} columns");
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("| ", false)]
    [InlineData("```\n", false)]
    [InlineData("```\n```\n", true)]
    public void Tables_and_code_may_be_wider(string before, bool held) =>
        Assert.Equal(held, Prose($"{before}two words".Split('\n')).Any(line => line.Text.EndsWith("two words", StringComparison.Ordinal)));

    /// <summary>The lines outside of tables and fenced code that have more than one word to break at.</summary>
    private static IEnumerable<(int Number, string Text)> Prose(IEnumerable<string> lines)
    {
        bool code = false;
        foreach ((int index, string line) in lines.Index())
        {
            bool fence = line.TrimStart().StartsWith("```", StringComparison.Ordinal);
            code ^= fence;
            if (!code && !fence && !line.StartsWith('|') && !Unbreakable().IsMatch(line))
            {
                yield return (index + 1, line);
            }
        }
    }

    private static IEnumerable<string> ProductFiles() =>
        from room in (string[])["generators", "src"]
        from path in Files(room, "*.cs")
        select path;

    /// <summary>The files under a folder, by their paths from the root, without what builds and runs leave there.</summary>
    private static IEnumerable<string> Files(string folder, string pattern) =>
        from file in Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), pattern, SearchOption.AllDirectories)
        let path = Path.GetRelativePath(Repository.Root, file).Replace('\\', '/')
        where !path.Split('/').Any(static part => part is "obj" or "bin" or "artifacts" or "TestResults" or ['.', ..])
        select path;

    [GeneratedRegex(@"^\W*\S+$")]
    private static partial Regex Unbreakable();

    [GeneratedRegex("^Example: `(\\w+)`", RegexOptions.Multiline)]
    private static partial Regex Example();

    [GeneratedRegex(@"^- \[ \] `([^`]+)`: ", RegexOptions.Multiline)]
    private static partial Regex Item();
}
