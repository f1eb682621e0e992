using System.Text;
using ModelCompiler.Data;
using ModelCompiler.Reading;

namespace ModelCompiler.Tests.Reading;

public class JsonTextTests
{
    [Theory]
    [InlineData("{\"loss\": NaN}", "f: is not valid JSON at column 10: NaN is no number in JSON; write a number or null")]
    [InlineData("{\"loss\": Infinity}", "f: is not valid JSON at column 10: Infinity is no number in JSON; write a number or null")]
    [InlineData("{\"loss\": -Infinity}", "-Infinity is no number in JSON")]
    [InlineData("{\n  \"a\": None\n}", "at line 2, column 8: None is Python's; write null")]
    [InlineData("{\"a\": True}", "write true")]
    [InlineData("{'a': 1}", "double quotes")]
    [InlineData("{ // a\n}", "JSON has no comments")]
    [InlineData("", "is empty")]
    [InlineData(" \r\n\t", "is empty")]
    [InlineData("{\"\\ud800\": 1}", "at column 3: \\ud800 is half a surrogate pair")]
    [InlineData("{\"a\": \"é\\\\\\uD83D\\u0041\"}", "at column 11: \\uD83D is half a surrogate pair")]
    [InlineData("[\"\\udc00\"]", "\\udc00 is half a surrogate pair")]
    [InlineData("{\"a\": 1, \"a\": 2}", "a")]
    [InlineData("{\"a\": 1", "at column 8")]
    [InlineData("{\"a\": [1, 2,]}", "at column 13")]
    public void A_text_that_is_no_JSON_is_named_with_its_place(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<DatasetException>(() => JsonText.Parse(json, "f", DatasetException.In)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("[\"\\ud83d\\ude00\"]", "\U0001F600")]
    [InlineData("[\"\\\\ud800\"]", "\\ud800")]
    [InlineData("\uFEFF[\"a\"]", "a")]
    public void Pairs_escaped_backslashes_and_byte_order_marks_are_read(string json, string expected) =>
        Assert.Equal(expected, JsonText.Parse(json, "f", DatasetException.In).Items().Single().AsText());

    [Fact]
    public void Nesting_has_a_limit() =>
        Assert.Contains("depth", Assert.Throws<DatasetException>(() => JsonText.Parse(new string('[', 100_000), "f", DatasetException.In)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("utf-16", "is UTF-16")]
    [InlineData("utf-16BE", "is UTF-16")]
    [InlineData("utf-32", "is UTF-32")]
    public void Other_encodings_are_named(string encoding, string expected)
    {
        Encoding other = Encoding.GetEncoding(encoding);
        byte[] bytes = [.. other.GetPreamble(), .. other.GetBytes("{\"a\": 1}")];
        Assert.Contains(expected, Assert.Throws<DatasetException>(() => JsonText.Parse(bytes, "f", DatasetException.In)).Message, StringComparison.Ordinal);
        Assert.Throws<DatasetException>(() => JsonText.Parse(other.GetBytes("{\"a\": 1}"), "f", DatasetException.In));
    }

    [Fact]
    public void A_byte_that_is_no_UTF8_is_named_with_its_place()
    {
        byte[] bytes = [.. "{\n\"é\": \""u8, 0xE9, .. "\"}"u8];
        Assert.Contains(
            "f: is not UTF-8 at line 2, column 7 (byte 0xE9 at 9)",
            Assert.Throws<DatasetException>(() => JsonText.Parse(bytes, "f", DatasetException.In)).Message,
            StringComparison.Ordinal);
    }
}
