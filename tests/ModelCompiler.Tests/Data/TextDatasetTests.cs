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

    [Fact]
    public void One_object_a_line_and_one_list_are_told_apart_by_content()
    {
        Assert.Equal(["a", "b"], Read("d.json", "\uFEFF{\"text\":\"a\"}\r\n\r\n{\"text\":\"b\"}").Select(r => r.Completion));
        TextRow[] rows = [.. Read("d.jsonl", "\uFEFF \r\n[\r\n {\"text\":\"a\"},\r\n {\"text\":\"b\"}\r\n]\r\n")];
        Assert.Equal(["a", "b"], rows.Select(r => r.Completion));
        Assert.EndsWith("d.jsonl, row 2", rows[1].Source);
    }

    [Fact]
    public void Bytes_of_other_kinds_of_files_are_named()
    {
        Assert.Contains("is compressed with gzip", Problem("d.jsonl", [0x1F, 0x8B, 8, 0]));
        Assert.Contains("is compressed with gzip", Problem("d.jsonl.gz", [0x1F, 0x8B, 8, 0]));
        Assert.Contains("is a Parquet file", Problem("train.parquet", [.. "PAR1"u8, 0, 1]));
        Assert.Contains("is UTF-16", Problem("d.jsonl", [0xFF, 0xFE, (byte)'{', 0, (byte)'}', 0]));
        Assert.Contains("line 2: is not UTF-8 at column 10", Problem("d.jsonl", [.. "{\"text\":\"a\"}\n{\"text\":\""u8, 0xE9, .. "\"}"u8]));

        static string Problem(string name, byte[] content)
        {
            using var folder = new TemporaryFolder();
            File.WriteAllBytes(folder.File(name), content);
            return Assert.Throws<DatasetException>(() => TextDataset.Read(folder.File(name))).Message;
        }
    }

    /// <summary>Lines around the sizes of the buffer that they are read through.</summary>
    [Fact]
    public void Lines_of_any_length_are_read()
    {
        int[] lengths = [1, 65_500, 65_521, 65_522, 65_523, 65_524, 65_525, 131_072, 3, 1_000_000, 0, 5];
        string[] texts = [.. lengths.Select((n, i) => new string((char)('a' + i), n))];

        foreach (string end in new[] { "\n", "\r\n", "\n\n" })
        {
            IReadOnlyList<TextRow> rows = Read("d.jsonl", string.Join(end, texts.Select(t => $"{{\"prompt\":\"{t}\",\"completion\":\"c\"}}")));

            Assert.Equal(texts, rows.Select(r => r.Prompt));
            Assert.Equal(texts.Select((_, i) => 1 + i * end.Count(c => c == '\n')), rows.Select(r => int.Parse(r.Source.Split(' ')[^1])));
        }
    }

    /// <summary>Rows are made one by one: a mistake in the last line does not keep the first from being read.</summary>
    [Fact]
    public void Rows_are_read_one_after_the_other()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("d.jsonl"), "{\"text\":\"a\"}\nbroken");

        Assert.Equal("a", TextDataset.Enumerate(folder.File("d.jsonl")).First().Completion);
    }

    [Theory]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\n{\"text\":", "line 2")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\r\n\r\n[1]", "line 3")]
    [InlineData("d.jsonl", "{\"text\":1}", "'text' must be text, not 1")]
    [InlineData("d.jsonl", "{\"text\":\"\"}", "'text' is empty")]
    [InlineData("d.jsonl", "{\"text\":\"\\ud800\"}", "line 1: is not valid JSON at column 10: \\ud800 is half")]
    [InlineData("d.jsonl", "{\"prompt\":\"a\"}", "'completion'")]
    [InlineData("d.jsonl", "{\"prompt\":\"a\",\"completion\":\"\"}", "'completion' is empty")]
    [InlineData("d.jsonl", "{\"instruction\":\"a\"}", "'output'")]
    [InlineData("d.jsonl", "{\"messages\":[]}", "assistant")]
    [InlineData("d.jsonl", "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "assistant")]
    [InlineData("d.jsonl", "{\"messages\":[1]}", "messages must be a list")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\n5", "line 2: must be a JSON object")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\nnull", "line 2: must be a JSON object")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"} {\"text\":\"c\"}", "line 2: is not valid JSON")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"score\":NaN}", "line 1: is not valid JSON at column 21: NaN")]
    [InlineData("d.jsonl", "{\"text\":\"a\",\"score\":-Infinity}", "line 1: is not valid JSON at column 2")]
    [InlineData("d.jsonl", "[{\"text\":\"a\"}\n{\"text\":\"b\"}]", "is not valid JSON at line 2")]
    [InlineData("d.jsonl", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a Git LFS pointer")]
    [InlineData("d.txt", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "is a Git LFS pointer")]
    [InlineData("d.jsonl", "PAR1", "is a Parquet file")]
    [InlineData("d.arrow", "ARROW1", "is an Arrow file")]
    [InlineData("d.jsonl", "BZh91AY", "is compressed with bzip2")]
    [InlineData("d.json", "{\n  \"text\": \"a\"\n}\n", "a row must be whole on its line, or all rows one list")]
    [InlineData("d.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b", "line 2: is not valid JSON at column ")]
    [InlineData("d.jsonl", "PK\u0003\u0004", "is a zip archive")]
    [InlineData("d.json", "<!DOCTYPE html>\n<html>", "is an HTML page")]
    [InlineData("d.gz", "a", "'.gz'")]
    [InlineData("d.jsonl", "{\"other\":1}", "line 1")]
    [InlineData("d.jsonl", " \n\n", "no data")]
    [InlineData("d.jsonl", "", "no data")]
    [InlineData("d.txt", " \n ", "no data")]
    [InlineData("d.json", "{}", "needs messages, prompt and completion, instruction and output, or text; it has nothing")]
    [InlineData("d.json", "{\"data\":[{\"text\":\"a\"}],\"version\":1,\"split\":null}", "; it has data, version")]
    [InlineData("d.json", "[]", "no data")]
    [InlineData("d.json", "[{\"text\":\"a\"},{}]", "row 2")]
    [InlineData("d.csv", "a,b", "'.csv'")]
    public void Mistakes_name_file_and_line(string name, string content, string expected)
    {
        string message = Problem(() => Read(name, content));

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

    [Fact]
    public void Real_instruction_rows()
    {
        TestData.Require("datasets/instruction-rasbt");
        Assert.Equal(1100, TextDataset.Read(TestData.PathOf("datasets/instruction-rasbt/instruction-data.json")).Count);
    }

    /// <summary>The error of a file, or what is wrong with the first row that is of no use.</summary>
    private static string Problem(Func<IReadOnlyList<TextRow>> read)
    {
        try
        {
            TextRow row = Assert.Single(read(), r => r.Problem is not null);
            return $"{row.Source}: {row.Problem}";
        }
        catch (DatasetException error)
        {
            return error.Message;
        }
    }

    private static IReadOnlyList<TextRow> Read(string name, string content)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(name), content);
        return TextDataset.Read(folder.File(name));
    }
}
