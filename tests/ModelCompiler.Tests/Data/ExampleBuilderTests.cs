using ModelCompiler.Data;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.Tests.Data;

public class ExampleBuilderTests
{
    private const int X = Example.IgnoreIndex;

    private static readonly ExampleOptions s_options = new() { Context = 8, VocabularySize = 29 };

    [Fact]
    public void Targets_are_the_next_tokens_and_only_completions_count()
    {
        Example example = Build(new TextRow("ab", "cd", "row"));

        Assert.Equal([1, 3, 4, 5, 6], example.Tokens);
        Assert.Equal([X, X, 5, 6, 2], example.Targets);
        Assert.Equal(3, example.TargetCount);
    }

    [Fact]
    public void Plain_text_counts_from_its_first_token()
    {
        Example marked = Build(new TextRow(null, "abc", "row"));
        Example bare = Build(new TextRow(null, "abc", "row"), tokenizer: new LetterTokenizer(marks: false));
        Example unmarked = Build(new TextRow("", "abc", "row"), s_options with { MarksBegin = false, MarksEnd = false });

        Assert.Equal([1, 3, 4, 5], marked.Tokens);
        Assert.Equal([3, 4, 5, 2], marked.Targets);
        Assert.Equal([3, 4], bare.Tokens);
        Assert.Equal([4, 5], bare.Targets);
        Assert.Equal([4, 5], unmarked.Targets);
    }

    [Fact]
    public void A_row_may_fill_the_context_exactly()
    {
        Assert.Equal(8, Build(new TextRow("abc", "defg", "row")).Tokens.Length);
        Assert.Contains("data, line 7", Assert.Throws<DatasetException>(() => Build(new TextRow("abc", "defgh", "data, line 7"))).Message);
    }

    [Fact]
    public void Long_rows_are_cut_where_that_is_asked_for()
    {
        Example cut = Build(new TextRow("abc", "defghij", "row"), s_options with { Truncation = Truncation.Truncate });

        Assert.Equal([1, 3, 4, 5, 6, 7, 8, 9], cut.Tokens);
        Assert.Equal([X, X, X, 6, 7, 8, 9, 10], cut.Targets);
        Assert.Contains("nothing is left to learn", Assert.Throws<DatasetException>(() =>
            Build(new TextRow("abcdefghij", "k", "row"), s_options with { Truncation = Truncation.Truncate })).Message);
    }

    [Fact]
    public void Splitting_loses_no_target()
    {
        ExampleSet examples = ExampleBuilder.Build([new TextRow(null, "abcdefghij", "row")], new LetterTokenizer(), s_options with { Context = 4, Truncation = Truncation.Split });

        Assert.Equal([[1, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12]], examples.Select(e => e.Tokens));
        Assert.Equal([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2], examples.SelectMany(e => e.Targets));
        Assert.Throws<DatasetException>(() => ExampleBuilder.Build(
            [new TextRow("a", "bcdefghij", "row")], new LetterTokenizer(), s_options with { Context = 4, Truncation = Truncation.Split }));
    }

    [Fact]
    public void Packing_runs_texts_together()
    {
        ExampleSet examples = ExampleBuilder.Pack(["ab", "c"], new LetterTokenizer(), s_options with { Context = 3 });

        Assert.Equal([[1, 3, 4], [2, 1, 5]], examples.Select(e => e.Tokens));
        Assert.Equal([[3, 4, 2], [1, 5, 2]], examples.Select(e => e.Targets));
    }

    [Fact]
    public void Tokens_outside_the_model_are_refused()
    {
        string message = Assert.Throws<DatasetException>(() => Build(new TextRow(null, "az", "data, line 3"), s_options with { VocabularySize = 28 })).Message;

        Assert.Contains("data, line 3", message);
        Assert.Contains("token 28", message);
        Assert.Throws<DatasetException>(() => ExampleBuilder.Pack(["z"], new LetterTokenizer(), s_options with { VocabularySize = 28 }));
    }

    [Fact]
    public void No_data_is_refused()
    {
        Assert.Throws<DatasetException>(() => ExampleBuilder.Build([], new LetterTokenizer(), s_options));
        Assert.Throws<DatasetException>(() => ExampleBuilder.Pack([], new LetterTokenizer(), s_options));
        Assert.Throws<DatasetException>(() => Build(new TextRow(null, "a", "row"), tokenizer: new LetterTokenizer(marks: false)));
    }

    [Fact]
    public void Rows_that_nothing_can_be_learned_from_are_dropped_counted_and_the_first_five_named()
    {
        IEnumerable<TextRow> rows = Enumerable.Range(1, 140).Select(i => (i % 20) switch
        {
            7 => new TextRow("abcdefgh", "i", $"data, line {i}"),
            _ => new TextRow("ab", i == 9 ? "cdefghijkl" : "c", $"data, line {i}"),
        });

        ExampleSet examples = ExampleBuilder.Build(rows, new LetterTokenizer(), s_options with { Truncation = Truncation.Truncate });

        Assert.Equal(133, examples.Count);
        Assert.Equal((140, 7, 1), (examples.Report.Rows, examples.Report.Dropped, examples.Report.Truncated));
        Assert.Equal([7, 27, 47, 67, 87], examples.Report.FirstDropped.Select(r => int.Parse(r.Source.Split(' ')[^1])));
        Assert.All(examples.Report.FirstDropped, r => Assert.Contains("the prompt of 9 tokens fills the context of 8", r.ToString()));
        Assert.All(examples, e => Assert.True(e.TargetCount > 0));
    }

    [Fact]
    public void Too_many_dropped_rows_are_one_error_that_names_five_of_them()
    {
        static TextRow[] Rows(int good, int bad) =>
        [
            .. Enumerable.Range(1, good).Select(i => new TextRow("a", "b", $"data, line {i}")),
            .. Enumerable.Range(good + 1, bad).Select(i => TextRow.Unusable("is of no use", $"data, line {i}")),
        ];
        static ExampleSet Make(TextRow[] rows, DropLimit? limit = null) =>
            ExampleBuilder.Build(rows, new LetterTokenizer(), limit is { } given ? s_options with { MaximumDropped = given } : s_options);

        Assert.Equal(1, Make(Rows(1, 1)).Report.Dropped);
        Assert.Equal(5, Make(Rows(95, 5)).Report.Dropped);
        string message = Assert.Throws<DatasetException>(() => Make(Rows(94, 6))).Message;
        Assert.Equal(
            "nothing can be learned from 6 of 100 rows, and at most 5 % of them may be dropped: " +
            string.Join("; ", Enumerable.Range(95, 5).Select(i => $"data, line {i}: is of no use")) + "; and 1 more",
            message);
        Assert.Equal(6, Make(Rows(94, 6), DropLimit.Rows(6)).Report.Dropped);
        Assert.Contains("at most 5 may", Assert.Throws<DatasetException>(() => Make(Rows(94, 6), DropLimit.Rows(5))).Message);
        Assert.Equal("data, line 95: is of no use", Assert.Throws<DatasetException>(() => Make(Rows(94, 6), DropLimit.None)).Message);
        Assert.Contains("data, line 1", Assert.Throws<DatasetException>(() => Make(Rows(0, 3), DropLimit.Share(1))).Message);
    }

    [Fact]
    public void A_text_that_the_vocabulary_cannot_express_is_a_row_of_no_use()
    {
        TextRow[] rows = [new TextRow("a", "b", "data, line 1"), new TextRow("a", "?", "data, line 2")];

        ExampleReport report = ExampleBuilder.Build(rows, new NarrowTokenizer(), s_options).Report;

        Assert.Equal("data, line 2: no token for ?", Assert.Single(report.FirstDropped).ToString());
    }

    private static Example Build(TextRow row, ExampleOptions? options = null, LetterTokenizer? tokenizer = null) =>
        Assert.Single(ExampleBuilder.Build([row], tokenizer ?? new LetterTokenizer(), options ?? s_options));

    private sealed class NarrowTokenizer : LetterTokenizer
    {
        public override int[] Encode(IReadOnlyList<TextPart> parts) =>
            parts.Any(p => p.Text.Contains('?')) ? throw new TokenizerException("no token for ?") : base.Encode(parts);
    }
}
