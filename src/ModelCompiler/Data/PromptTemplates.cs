using System.Text;

namespace ModelCompiler.Data;

/// <summary>How structured rows become one prompt.</summary>
public static class PromptTemplates
{
    /// <summary>The template of Stanford Alpaca (Taori et al. 2023).</summary>
    /// <param name="instruction">The task.</param>
    /// <param name="input">What it is about; may be empty.</param>
    public static string Alpaca(string instruction, string? input) => string.IsNullOrWhiteSpace(input)
        ? $"Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Response:\n"
        : $"Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\n{instruction}\n\n### Input:\n{input}\n\n### Response:\n";

    /// <summary>ChatML: the messages so far and the opening of the assistant's next one.</summary>
    /// <param name="messages">Roles and contents in order.</param>
    public static string Chat(IEnumerable<(string Role, string Content)> messages)
    {
        var text = new StringBuilder();
        foreach ((string role, string content) in messages)
        {
            text.Append("<|im_start|>").Append(role).Append('\n').Append(content).Append("<|im_end|>\n");
        }

        return text.Append("<|im_start|>assistant\n").ToString();
    }
}
