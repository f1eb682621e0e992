using ModelCompiler.Data;

namespace ModelCompiler.Tests.Data;

public class ExampleBuilderTests
{
    private const int X = Example.Ignored;

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
        Example cut = Build(new TextRow("abc", "defghij", "row"), s_options with { WhenTooLong = LongText.Truncate });

        Assert.Equal([1, 3, 4, 5, 6, 7, 8, 9], cut.Tokens);
        Assert.Equal([X, X, X, 6, 7, 8, 9, 10], cut.Targets);
        Assert.Contains("nothing is left to learn", Assert.Throws<DatasetException>(() =>
            Build(new TextRow("abcdefghij", "k", "row"), s_options with { WhenTooLong = LongText.Truncate })).Message);
    }

    [Fact]
    public void Splitting_loses_no_target()
    {
        List<Example> examples = ExampleBuilder.Build([new TextRow(null, "abcdefghij", "row")], new LetterTokenizer(), s_options with { Context = 4, WhenTooLong = LongText.Split });

        Assert.Equal([[1, 3, 4, 5], [6, 7, 8, 9], [10, 11, 12]], examples.Select(e => e.Tokens));
        Assert.Equal([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2], examples.SelectMany(e => e.Targets));
        Assert.Throws<DatasetException>(() => ExampleBuilder.Build(
            [new TextRow("a", "bcdefghij", "row")], new LetterTokenizer(), s_options with { Context = 4, WhenTooLong = LongText.Split }));
    }

    [Fact]
    public void Packing_runs_texts_together()
    {
        List<Example> examples = ExampleBuilder.Pack(["ab", "c"], new LetterTokenizer(), s_options with { Context = 3 });

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

    private static Example Build(TextRow row, ExampleOptions? options = null, LetterTokenizer? tokenizer = null) =>
        Assert.Single(ExampleBuilder.Build([row], tokenizer ?? new LetterTokenizer(), options ?? s_options));
}
