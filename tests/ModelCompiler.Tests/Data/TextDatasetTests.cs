using ModelCompiler.Data;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Data;

public class TextDatasetTests
{
    [Fact]
    public void All_kinds_of_rows()
    {
        TextRow[] rows = [.. Read("d.jsonl", """
            {"text":"plain"}

            {"prompt":"p","completion":"c"}
            {"instruction":"Say hi.","input":"","output":"hi"}
            {"instruction":"Add.","input":"1 2","output":"3"}
            {"messages":[{"role":"system","content":"S"},{"role":"user","content":"U"},{"role":"assistant","content":"A"}]}
            """)];

        Assert.Equal([null, "p"], rows[..2].Select(r => r.Prompt));
        Assert.Equal(["plain", "c", "hi", "3", "A"], rows.Select(r => r.Completion));
        Assert.EndsWith("request.\n\n### Instruction:\nSay hi.\n\n### Response:\n", rows[2].Prompt);
        Assert.EndsWith("request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:\n", rows[3].Prompt);
        Assert.Equal("<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU<|im_end|>\n<|im_start|>assistant\n", rows[4].Prompt);
        Assert.EndsWith("d.jsonl, line 3", rows[1].Source);
    }

    [Fact]
    public void Text_files_are_one_row_and_lists_are_rows()
    {
        Assert.Equal("one\ntwo\n", Assert.Single(Read("d.txt", "one\ntwo\n")).Completion);
        Assert.Equal(["a", "b"], Read("d.json", """[{"text":"a"},{"text":"b"}]""").Select(r => r.Completion));
    }

    [Theory]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\n{\"text\":", "line 2")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\r\n\r\n[1]", "line 3")]
    [InlineData("d.jsonl", "{\"text\":1}", "'text' must be text")]
    [InlineData("d.jsonl", "{\"text\":\"\"}", "'text' is empty")]
    [InlineData("d.jsonl", "{\"text\":\"\\ud800\"}", "line 1: is not valid JSON at column 10: \\ud800 is half")]
    [InlineData("d.jsonl", "{\"prompt\":\"a\"}", "'completion'")]
    [InlineData("d.jsonl", "{\"prompt\":\"a\",\"completion\":\"\"}", "'completion' is empty")]
    [InlineData("d.jsonl", "{\"instruction\":\"a\"}", "'output'")]
    [InlineData("d.jsonl", "{\"messages\":[]}", "assistant")]
    [InlineData("d.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "assistant")]
    [InlineData("d.jsonl", "{\"messages\":[1]}", "key 'messages[0]' must be an object with role and content, not 1")]
    [InlineData("d.jsonl", "{\"other\":1}", "line 1")]
    [InlineData("d.jsonl", " \n\n", "no data")]
    [InlineData("d.jsonl", "", "no data")]
    [InlineData("d.txt", " \n ", "no data")]
    [InlineData("d.json", "{}", "list of rows")]
    [InlineData("d.json", "[]", "no data")]
    [InlineData("d.json", "[{\"text\":\"a\"},{}]", "row 2")]
    [InlineData("d.csv", "a,b", "'.csv'")]
    public void Mistakes_name_file_and_line(string name, string content, string expected)
    {
        string message = Assert.Throws<DatasetException>(() => Read(name, content)).Message;

        Assert.Contains(expected, message);
        Assert.Contains(name, message);
    }

    [Fact]
    public void Bytes_that_are_no_utf8_and_absent_files_are_one_error()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllBytes(folder.File("d.txt"), [(byte)'a', (byte)'b', 0xFF]);

        Assert.Contains("at column 3 (byte 0x", Assert.Throws<DatasetException>(() => TextDataset.Read(folder.File("d.txt"))).Message);
        Assert.Contains("absent.txt", Assert.Throws<DatasetException>(() => TextDataset.Read(folder.File("absent.txt"))).Message);
    }

    [DataFact("datasets/instruction-rasbt")]
    public void Real_instruction_rows()
    {
        Assert.Equal(1100, TextDataset.Read(TestData.PathOf("datasets/instruction-rasbt/instruction-data.json")).Count);
    }

    private static IReadOnlyList<TextRow> Read(string name, string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), content);
        return TextDataset.Read(folder.File(name));
    }
}
