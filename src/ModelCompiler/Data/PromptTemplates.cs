using ModelCompiler.Tokenizers;

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
    public static IReadOnlyList<TextPart> Chat(IEnumerable<(string Role, string Content)> messages)
    {
        var parts = new List<TextPart>();
        foreach ((string role, string content) in messages)
        {
            parts.Add(new TextPart("<|im_start|>", IsMarkup: true));
            parts.Add(new TextPart($"{role}\n{content}", IsMarkup: false));
            parts.Add(new TextPart("<|im_end|>\n", IsMarkup: true));
        }

        parts.Add(new TextPart("<|im_start|>assistant\n", IsMarkup: true));
        return parts;
    }
}
