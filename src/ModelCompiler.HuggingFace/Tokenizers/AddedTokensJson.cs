using System.Globalization;
using System.Text.Json;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads added tokens of a tokenizer.json, and those that Transformers writes beside a vocabulary without one.</summary>
internal static class AddedTokensJson
{
    private const string OlderFileName = "added_tokens.json";

    /// <summary>
    /// The added_tokens of a tokenizer.json with the ids that Hugging Face's library gives them: the vocabulary's where it has the token,
    /// else the next free one. Of one content the first stays.
    /// </summary>
    /// <exception cref="TokenizerException">An id is beyond the vocabulary and its added tokens.</exception>
    public static List<AddedToken> Read(JsonElement root, IReadOnlyDictionary<string, int> vocabulary, string path)
    {
        var tokens = new List<AddedToken>();
        if (!root.TryGetProperty("added_tokens", out JsonElement array) || array.ValueKind == JsonValueKind.Null)
        {
            return tokens;
        }

        int next = vocabulary.Count;
        HashSet<int> taken = [.. vocabulary.Values];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        long limit = (long)vocabulary.Values.Max() + 1 + array.GetArrayLength();
        foreach (JsonElement element in array.EnumerateArray())
        {
            AddedToken token = Read(element, Id(element.GetProperty("id"), path), path);
            if (token.Id >= limit)
            {
                throw new TokenizerException(
                    $"{path}: added token '{token.Content}' has id {token.Id}, beyond the vocabulary of {vocabulary.Count} and {array.GetArrayLength()} added tokens");
            }

            if (token.Content.Length > 0 && seen.Add(token.Content))
            {
                bool known = vocabulary.TryGetValue(token.Content, out int id);
                if (!known && taken.Contains(next))
                {
                    throw new TokenizerException(
                        $"{path}: added token '{token.Content}' would get id {next}, which a token of the vocabulary has: the vocabulary of {vocabulary.Count} has holes");
                }

                tokens.Add(token with { Id = known ? id : next });
                next = known ? Math.Max(next, id + 1) : next + 1;
            }
        }

        return tokens;
    }

    /// <summary>Added tokens of a vocabulary without a tokenizer.json: those of its configuration and of added_tokens.json, with their own ids.</summary>
    /// <exception cref="TokenizerException">Two tokens have one id, or one is beyond the vocabulary.</exception>
    public static List<AddedToken> Beside(string vocabularyPath, TokenizerConfig config, IReadOnlyDictionary<string, int> vocabulary)
    {
        string older = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(vocabularyPath))!, OlderFileName);
        IEnumerable<AddedToken> all = config.AddedTokens;
        if (File.Exists(older))
        {
            all = all.Concat(TokenizerFile.ReadJson(older, root =>
                root.EnumerateObject().Select(t => new AddedToken(Id(t.Value, older), t.Name, Special: true)).ToArray()));
        }

        AddedToken[] tokens = [.. all.Where(t => t.Content.Length > 0).DistinctBy(t => t.Content)];
        HashSet<int> taken = [.. vocabulary.Values];
        long limit = (long)vocabulary.Values.Max() + 1 + tokens.Length;
        foreach (AddedToken token in tokens)
        {
            bool itsOwn = vocabulary.TryGetValue(token.Content, out int id) ? id == token.Id : taken.Add(token.Id);
            if (!itsOwn || token.Id >= limit)
            {
                throw new TokenizerException(
                    $"{vocabularyPath}: added token '{token.Content}' has id {token.Id}, which another token has or which is beyond the vocabulary of {vocabulary.Count} and {tokens.Length} added tokens");
            }
        }

        return [.. tokens];
    }

    /// <summary>An added token as Hugging Face writes it.</summary>
    public static AddedToken Read(JsonElement element, int id, string path)
    {
        bool Flag(string name) => element.TryGetProperty(name, out JsonElement flag) && flag.ValueKind == JsonValueKind.True;

        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty("content", out JsonElement content) && content.ValueKind == JsonValueKind.String
            ? new AddedToken(id, TokenizerFile.Text(content), Flag("special"), Flag("normalized"), Flag("lstrip"), Flag("rstrip"), Flag("single_word"))
            : throw new TokenizerException($"{path}: an added token must be an object with content, not {TokenizerFile.Shorten(element.GetRawText())}");
    }

    /// <summary>An id written as a key.</summary>
    public static int Id(string text, string path) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : throw new TokenizerException($"{path}: '{text}' is not a token id");

    private static int Id(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Number && element.TryGetInt32(out int id) && id >= 0
            ? id
            : throw new TokenizerException($"{path}: an added token's id must be a whole number from 0, not {TokenizerFile.Shorten(element.GetRawText())}");
}
