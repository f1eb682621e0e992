using System.Text;
using ModelCompiler.HuggingFace.Config;

namespace ModelCompiler.Tests.Checkpoints;

public class JsonEditTests
{
    [Theory]
    [InlineData("""{"a": 1, "b": 2}""", "a", "3", """{"a": 3, "b": 2}""")]
    [InlineData("""{"a": 1, "b": {"a": 5}}""", "b", "[]", """{"a": 1, "b": []}""")]
    [InlineData("""{"x": {"a": 5}, "a": "old"}""", "a", "\"new\"", """{"x": {"a": 5}, "a": "new"}""")]
    [InlineData("{\n  \"a\": 1\n}\n", "b", "2", "{\n  \"a\": 1,\n  \"b\": 2\n}\n")]
    [InlineData("{\"a\":1}", "b", "2", "{\"a\":1,\"b\": 2}")]
    [InlineData("{}", "b", "2", "{\"b\": 2}")]
    [InlineData("{\"a\": 1, \"b\": 2}", "b", null, "{\"a\": 1}")]
    [InlineData("{\n  \"a\": 1,\n  \"b\": 2,\n  \"c\": 3\n}", "b", null, "{\n  \"a\": 1,\n  \"c\": 3\n}")]
    [InlineData("{\n  \"a\": 1,\n  \"b\": 2\n}", "a", null, "{\n  \"b\": 2\n}")]
    [InlineData("{\"a\": {\"b\": [1, {}]}}", "a", null, "{}")]
    [InlineData("{\"a\": 1}", "b", null, "{\"a\": 1}")]
    [InlineData("{\"\\u0061\": 1}", "a", "2", "{\"\\u0061\": 2}")]
    public void A_key_changes_and_every_other_byte_stays(string json, string key, string? value, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(JsonEdit.Set(Encoding.UTF8.GetBytes(json), key, value)));

    [Fact]
    public void A_byte_order_mark_stays() => Assert.Equal(
        [.. Encoding.UTF8.Preamble, .. "{\"a\": 2}"u8],
        JsonEdit.Set([.. Encoding.UTF8.Preamble, .. "{\"a\": 1}"u8], "a", "2"));
}
