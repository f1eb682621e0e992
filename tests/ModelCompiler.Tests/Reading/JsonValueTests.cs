using ModelCompiler.Reading;
using ModelCompiler.Safetensors;

namespace ModelCompiler.Tests.Reading;

public class JsonValueTests
{
    private static JsonValue Parse(string json) => JsonText.Parse(json, "f", CheckpointException.In);

    [Theory]
    [InlineData("1e999", "a number")]
    [InlineData("\"1\"", "a number")]
    [InlineData("[1]", "a number")]
    [InlineData("true", "a number")]
    public void A_number_that_is_none_or_does_not_fit_is_refused(string json, string expected) =>
        AssertRefused($"f: key 'a.b[1]' must be {expected}, not {json}", () => Third($$"""{"a": {"b": [0, {{json}}]} }""").AsNumber());

    [Theory]
    [InlineData("1.5")]
    [InlineData("1e999")]
    [InlineData("1099511627776")]
    [InlineData("\"8\"")]
    [InlineData("{}")]
    public void A_whole_number_that_is_none_or_does_not_fit_is_refused(string json) =>
        AssertRefused($"f: key 'a' must be a whole number, not {json}", () => Parse($$"""{"a": {{json}} }""").Integer("a"));

    [Fact]
    public void A_missing_key_is_named()
    {
        AssertRefused("f: key 'a.b' must be text; it is missing", () => Parse("""{"a": {}}""").Required("a").Required("b", "text"));
        AssertRefused("f: key 'a' must be text; it is missing", () => Parse("""{"a": null}""").Required("a", "text"));
    }

    [Fact]
    public void Null_is_absent()
    {
        JsonValue value = Parse("""{"a": null}""");
        Assert.Null(value.Value("a"));
        Assert.Null(value.Text("a"));
        Assert.Null(value.Integer("b"));
    }

    [Fact]
    public void A_long_value_is_shortened_in_messages() =>
        AssertRefused($"f: must be a JSON object, not \"{new string('x', 59)}...", () => Parse($"\"{new string('x', 1000)}\"").RequireObject());

    [Fact]
    public void A_value_by_itself_has_its_own_place() =>
        AssertRefused("f, row 2: key 'a' must be text, not 1", () => Parse("""[0, {"a": 1}]""").Items().Last().At("f, row 2").Text("a"));

    private static JsonValue Third(string json) => Parse(json).Required("a").Required("b").Items().ElementAt(1);

    private static void AssertRefused(string message, Func<object?> read) =>
        Assert.Equal(message, Assert.Throws<CheckpointException>(() => { read(); }).Message);
}
