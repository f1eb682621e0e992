using System.Text.Json;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads the post_processor of a tokenizer.json: the special tokens put around a single text.</summary>
internal static class PostProcessorJson
{
    private const int DeepestSequence = 16;

    /// <summary>The ids before and after a text.</summary>
    /// <exception cref="TokenizerException">The post-processor is not supported, or is malformed.</exception>
    public static (int[] Prefix, int[] Suffix) Read(JsonElement root, string path) =>
        root.TryGetProperty("post_processor", out JsonElement processor) ? Read(processor, path, 0) : ([], []);

    private static (int[] Prefix, int[] Suffix) Read(JsonElement processor, string path, int depth)
    {
        if (processor.ValueKind == JsonValueKind.Null)
        {
            return ([], []);
        }

        switch (processor.GetProperty("type").GetString())
        {
            // It changes offsets alone.
            case "ByteLevel":
                return ([], []);
            case "TemplateProcessing":
                return Template(processor, path);
            case "RobertaProcessing" or "BertProcessing":
                return ([PairId(processor, "cls", path)], [PairId(processor, "sep", path)]);
            case "Sequence" when depth < DeepestSequence:
                int[] prefix = [];
                int[] suffix = [];
                foreach (JsonElement step in processor.GetProperty("processors").EnumerateArray())
                {
                    // Each goes around what those before it have made.
                    (int[] before, int[] after) = Read(step, path, depth + 1);
                    prefix = [.. before, .. prefix];
                    suffix = [.. suffix, .. after];
                }

                return (prefix, suffix);
            case var type:
                throw new TokenizerException(
                    $"{path}: post-processor '{type}' is not supported; only ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing and Sequence are");
        }
    }

    /// <summary>A list of special tokens with the text once among them.</summary>
    private static (int[] Prefix, int[] Suffix) Template(JsonElement processor, string path)
    {
        var prefix = new List<int>();
        var suffix = new List<int>();
        int texts = 0;
        foreach (JsonElement piece in processor.GetProperty("single").EnumerateArray())
        {
            if (piece.TryGetProperty("SpecialToken", out JsonElement token))
            {
                string name = TokenizerFile.Text(token.GetProperty("id"));
                JsonElement ids = processor.GetProperty("special_tokens").TryGetProperty(name, out JsonElement entry)
                    ? entry.GetProperty("ids")
                    : throw new TokenizerException($"{path}: the post-processor's template names '{name}', which its special_tokens lack");
                (texts == 0 ? prefix : suffix).AddRange(ids.EnumerateArray().Select(id => id.GetInt32()));
            }
            else
            {
                texts += piece.GetProperty("Sequence").GetProperty("id").GetString() == "A" ? 1 : 2;
            }
        }

        return texts == 1
            ? ([.. prefix], [.. suffix])
            : throw new TokenizerException($"{path}: the post-processor's template for a single text must have sequence A once");
    }

    /// <summary>The id of ["token", id].</summary>
    private static int PairId(JsonElement processor, string key, string path)
    {
        JsonElement pair = processor.GetProperty(key);
        return pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2
            ? pair[1].GetInt32()
            : throw new TokenizerException($"{path}: key '{key}' of the post-processor must be a token and its id");
    }
}
