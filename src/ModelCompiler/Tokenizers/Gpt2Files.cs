using System.Text;
using System.Text.Json;

namespace ModelCompiler.Tokenizers;

/// <summary>GPT-2's own pair of files: a JSON object of ids and a text of merges.</summary>
internal static class Gpt2Files
{
    /// <exception cref="TokenizerException">A file cannot be read or is damaged.</exception>
    public static BpeDefinition Read(string vocabularyPath, string mergesPath)
    {
        Dictionary<string, int> vocabulary;
        try
        {
            using JsonDocument document = JsonDocument.Parse(TokenizerFile.ReadBytes(vocabularyPath));
            vocabulary = TokenizerJson.ReadVocabulary(document.RootElement, vocabularyPath);
        }
        catch (JsonException error)
        {
            throw new TokenizerException($"{vocabularyPath}: is not valid JSON: {error.Message}", error);
        }

        var merges = new List<(string, string)>();
        string[] lines = Encoding.UTF8.GetString(TokenizerFile.ReadBytes(mergesPath)).Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            string line = lines[i].TrimEnd('\r');
            if (line.Length == 0 || (i == 0 && line.StartsWith("#version", StringComparison.Ordinal)))
            {
                continue;
            }

            merges.Add(TokenizerJson.SplitMerge(line) ?? throw new TokenizerException($"{mergesPath}: line {i + 1} must be two tokens with a space between"));
        }

        AddedToken[] added = [.. WellKnownTokens.All.Where(vocabulary.ContainsKey).Select(t => new AddedToken(vocabulary[t], t, Special: true))];
        return WellKnownTokens.Mark(
            new BpeDefinition { Source = vocabularyPath, Vocabulary = vocabulary, Merges = merges, AddedTokens = added });
    }
}
