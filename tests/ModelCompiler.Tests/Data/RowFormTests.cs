using ModelCompiler.Data;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Data;

/// <summary>Rows as people have them: which columns are a row, and why nothing can be learned from one.</summary>
public class RowFormTests
{
    private const string Hi = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";

    [Theory]
    [InlineData("""{"text":null,"prompt":"P","completion":"C"}""", "P", "C")]
    [InlineData("""{"text":"T","prompt":null,"completion":null}""", null, "T")]
    [InlineData("""{"text":"T","prompt":"P","completion":null}""", null, "T")]
    [InlineData("""{"text":"T","prompt":"P","completion":"C"}""", "P", "C")]
    [InlineData("""{"prompt":"","completion":"","text":"T"}""", null, "T")]
    [InlineData("""{"prompt":"","completion":"C"}""", "", "C")]
    [InlineData("""{"messages":null,"instruction":null,"text":"T","label":7,"meta":{"a":[1]}}""", null, "T")]
    [InlineData("""{"messages":[],"text":"T"}""", null, "T")]
    [InlineData("""{"messages":"none","text":"T"}""", null, "T")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}],"prompt":"P","text":"T"}""", Hi, "Yo")]
    [InlineData("""{"prompt":"P","completion":"C","messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}]}""", Hi, "Yo")]
    [InlineData("""{"conversations":[{"from":"human","value":"Hi"},{"from":"gpt","value":"Yo"}]}""", Hi, "Yo")]
    [InlineData("""{"conversations":[{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}],"messages":null}""", Hi, "Yo")]
    [InlineData("""{"messages":[{"from":"human","value":"Hi","weight":null},{"from":"gpt","value":"Yo","weight":1}]}""", Hi, "Yo")]
    [InlineData("""{"prompt":[{"role":"user","content":"Hi"}],"completion":[{"role":"assistant","content":"Yo"}]}""", Hi, "Yo")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text","text":"H"},{"type":"text","text":"i","image_url":null}],"tool_calls":null},{"role":"assistant","content":[{"type":"text","text":"Yo"}],"tool_calls":[]}]}""", Hi, "Yo")]
    [InlineData("""{"messages":[{"role":"system","content":""},{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}]}""", "<|im_start|>system\n<|im_end|>\n" + Hi, "Yo")]
    [InlineData("""{"messages":[{"role":"developer","content":"S"},{"role":"user","content":"Hi"},{"role":"assistant","content":"Yo"}]}""", "<|im_start|>system\nS<|im_end|>\n" + Hi, "Yo")]
    public void The_first_form_that_is_whole_counts(string line, string? prompt, string completion)
    {
        TextRow row = Read(line);

        Assert.Null(row.Problem);
        Assert.Equal(prompt, row.Prompt);
        Assert.Equal(completion, row.Completion);
    }

    [Theory]
    [InlineData("""{"instruction":"Do.","input":null,"output":"C"}""")]
    [InlineData("""{"instruction":"Do.","input":"","output":"C"}""")]
    [InlineData("""{"instruction":"Do.","output":"C","text":null,"input":" "}""")]
    [InlineData("""{"instruction":"Do.","output":"C","text":"Do. C"}""")]
    public void Alpaca_without_input(string line)
    {
        Assert.Equal(PromptTemplates.Alpaca("Do.", null), Read(line).Prompt);
        Assert.Equal("C", Read(line).Completion);
    }

    [Theory]
    [InlineData("{}", "it has nothing")]
    [InlineData("""{"question":"Q","answer":"A","text":null}""", "it has question, answer")]
    [InlineData("""{"text":null}""", "a row needs")]
    [InlineData("""{"text":5}""", "'text' must be text, not 5")]
    [InlineData("""{"text":["a"]}""", "'text' must be text, not [")]
    [InlineData("""{"prompt":"P","completion":7}""", "'completion' must be text, not 7")]
    [InlineData("""{"prompt":7,"completion":"C"}""", "'prompt' must be text, not 7")]
    [InlineData("""{"prompt":"P","completion":null}""", "'completion' is missing")]
    [InlineData("""{"prompt":null,"completion":"C"}""", "'prompt' is missing")]
    [InlineData("""{"prompt":"P","completion":""}""", "'completion' is empty")]
    [InlineData("""{"instruction":"I","input":"x","output":null}""", "'output' is missing")]
    [InlineData("""{"instruction":"I","input":["x"],"output":"C"}""", "'input' must be text")]
    [InlineData("""{"instruction":null,"input":"x","output":"C"}""", "it has input, output")]
    [InlineData("""{"messages":{}}""", "messages must be a list")]
    [InlineData("""{"messages":[null]}""", "messages must be a list")]
    [InlineData("""{"messages":[]}""", "the last of the messages must be the assistant's")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"}]}""", "the last of the messages must be the assistant's")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":""}]}""", "and not empty")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":[]}]}""", "and not empty")]
    [InlineData("""{"messages":[{"content":"Hi"}]}""", "message 1 has no role")]
    [InlineData("""{"messages":[{"role":7,"content":"Hi"}]}""", "message 1 has no role")]
    [InlineData("""{"messages":[{"role":"bot","content":"Hi"}]}""", "message 1 has the role 'bot'; roles are system, user")]
    [InlineData("""{"messages":[{"role":"user","content":null},{"role":"assistant","content":"Yo"}]}""", "message 1 has no content")]
    [InlineData("""{"messages":[{"role":"user","content":"Hi"},{"role":"assistant","content":null}]}""", "message 2 has no content")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""", "message 1 has content that is neither")]
    [InlineData("""{"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}]}""", "message 1 calls tools")]
    [InlineData("""{"messages":[{"role":"assistant","content":"Yo","function_call":{"name":"f"}}]}""", "message 1 calls tools")]
    [InlineData("""{"messages":[{"role":"tool","content":"4"}]}""", "the role 'tool'")]
    [InlineData("""{"conversations":[{"from":"human","value":"Hi"},{"from":"function_call","value":"{}"}]}""", "message 2 has the role 'function_call'")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}},{"type":"text","text":"Hi"}]}]}""", "part of type 'image_url'")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"text","text":null}]}]}""", "message 1 has a part without text")]
    [InlineData("""{"messages":[{"role":"user","content":["Hi"]}]}""", "message 1 has a part without text")]
    [InlineData("""{"prompt":[{"role":"user","content":"Hi"}],"completion":"C"}""", "'prompt' must be text")]
    public void Rows_of_no_use_say_why(string line, string expected) => Assert.Contains(expected, Read(line).Problem);

    private static TextRow Read(string line)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("d.jsonl"), line + "\n");
        return Assert.Single(TextDataset.Read(folder.File("d.jsonl")));
    }
}
