using System.Diagnostics;
using ModelCompiler.CommandLine.Quickstart.Documentation;
using ModelCompiler.Data;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Cli.Tests.Quickstart;

public class ReferenceDocumentationTests(ITestOutputHelper output)
{
    [Fact]
    public void Summaries_become_plain_text_and_each_id_is_taken_once()
    {
        using TemporaryFolder root = Sdk(
            ("a.xml", """
                <member name="M:A.B.C(System.Int32)"><summary>
                    Gets the <see cref="T:A.Thing`1" /> of
                    <paramref name="x" /> or <see langword="null" />;<para>see <see cref="M:A.B.D">this</see>,<br/><c>code</c> and <a href="h">there</a>.</para>
                </summary><param name="x">not this</param></member>
                <member name="M:A.B.Empty"><summary> </summary></member>
                <member name="M:A.B.None"/>
                <member name="F:A.B.F"><summary>First.</summary></member>
                """),
            ("b.xml", """<member name="F:A.B.F"><summary>Second.</summary></member><member name="M:A.B.Empty"><summary>Late.</summary></member>"""));

        IReadOnlyList<DocumentedMember> members = ReferenceDocumentation.ReadMembers(root.Path);

        Assert.Equal(
            [
                new("F:A.B.F", "field B.F", "First."),
                new("M:A.B.C(System.Int32)", "method B.C(Int32)", "Gets the Thing of x or null; see this, code and there."),
                new("M:A.B.Empty", "method B.Empty()", "Late."),
            ],
            members);
    }

    [Fact]
    public void A_machine_without_documentation_is_told_what_to_do()
    {
        using var root = new TemporaryFolder();

        string message = Assert.Throws<DatasetException>(() => ReferenceDocumentation.Load(root.Path)).Message;

        Assert.Contains(root.Path, message);
        Assert.Contains("--data", message);
    }

    [Fact]
    public void A_damaged_file_is_named()
    {
        using TemporaryFolder root = Sdk(("a.xml", "<member name="));

        Assert.Contains("a.xml", Assert.Throws<DatasetException>(() => ReferenceDocumentation.Load(root.Path)).Message);
    }

    [Fact]
    public void Masks_hide_names_and_nothing_else()
    {
        Assert.Equal("gets the # of a # for #", DocumentationSplit.Mask("Gets the Thing of a fooBar for x_1.", new HashSet<string> { "Thing" }));
    }

    [Fact]
    public void Hash_is_fnv1a() => Assert.Equal(0x85944171F73967E8UL, DocumentationSplit.Hash("foobar"));

    [Fact]
    public void The_split_is_honest()
    {
        DocumentedMember[] members =
        [
            .. Enumerable.Range(0, 4000).SelectMany(i => Enumerable.Range(0, 3).Select(o =>
                new DocumentedMember($"M:A.Type{i}.Name({string.Join(',', Enumerable.Repeat("X", o))})", "", i % 4 == 0 ? $"Makes {new string('a', i % 1000 + 1)}." : $"Makes a Type{i}."))),
        ];

        DocumentationCorpus corpus = DocumentationSplit.Divide(members, 10);

        Assert.Equal(members.Length, corpus.Training.Count + corpus.HeldOut.Count + corpus.Repeated);
        Assert.InRange(corpus.Training.Count, members.Length * 88 / 100, members.Length * 92 / 100);
        Assert.Empty(corpus.Training.Select(m => MemberId.Group(m.Id)).Intersect(corpus.HeldOut.Select(m => MemberId.Group(m.Id))));
        Assert.DoesNotContain(corpus.HeldOut, m => m.Summary.Contains("Type"));
        Assert.Single(corpus.Distinct, m => m.Summary.Contains("Type"));
        Assert.Equal(corpus.Training.Where(m => !m.Summary.Contains("Type")).Select(m => m.Summary).Distinct(), corpus.Distinct.Select(m => m.Summary).Where(s => !s.Contains("Type")));
        Assert.Empty(corpus.Training.Select(m => m.Summary).Intersect(corpus.HeldOut.Select(m => m.Summary)));
    }

    [Fact]
    public void The_running_sdk()
    {
        var watch = Stopwatch.StartNew();
        DocumentationCorpus corpus = ReferenceDocumentation.Load();
        TimeSpan time = watch.Elapsed;
        int members = corpus.Training.Count + corpus.HeldOut.Count + corpus.Repeated;
        output.WriteLine(
            $"{members} members, {corpus.Training.Sum(m => m.Summary.Length) / 1e6:F2} MB of summaries, {corpus.HeldOut.Count} held out, {corpus.Repeated} repeated, {time.TotalSeconds:F1} s");

        Assert.InRange(members, 20_000, 500_000);
        Assert.InRange(corpus.HeldOut.Count, members / 100, members * HeldOutShare / 100);
        Assert.All(corpus.HeldOut, m => Assert.DoesNotContain('`', m.Signature));
        Assert.Contains(corpus.Training.Concat(corpus.HeldOut), m => m.Signature == "method String.Substring(Int32, Int32)");
    }

    private const int HeldOutShare = ReferenceDocumentation.HeldOutPercent + 1;

    private static TemporaryFolder Sdk(params (string Name, string Members)[] files)
    {
        var root = new TemporaryFolder();
        string folder = Directory.CreateDirectory(root.File("packs/P.Ref/1.0/ref/net10.0")).FullName;
        foreach ((string name, string members) in files)
        {
            File.WriteAllText(Path.Combine(folder, name), $"<?xml version=\"1.0\"?><doc><assembly><name>A</name></assembly><members>{members}</members></doc>");
        }

        return root;
    }
}
