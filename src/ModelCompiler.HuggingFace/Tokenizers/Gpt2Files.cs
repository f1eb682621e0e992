using System.Text;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>GPT-2's own pair of files: a JSON object of ids and a text of merges.</summary>
internal static class Gpt2Files
{
    /// <summary>Classes of Transformers that cut text as GPT-2 does.</summary>
    private static readonly string[] s_classes = ["GPT2Tokenizer", "CodeGenTokenizer", "GPTNeoXTokenizer", "PreTrainedTokenizer"];

    /// <exception cref="TokenizerException">A file cannot be read or is damaged.</exception>
    public static BpeDefinition Read(string vocabularyPath, string mergesPath)
    {
        Dictionary<string, int> vocabulary = TokenizerFile.ReadJson(vocabularyPath, root => TokenizerJson.ReadVocabulary(root, vocabularyPath));
        TokenizerConfig config = TokenizerConfig.Beside(vocabularyPath);
        bool qwen = config.TokenizerClass is "Qwen2Tokenizer" or "Qwen2TokenizerFast";
        if (!qwen && config.TokenizerClass is { } name && !s_classes.Contains(name.EndsWith("Fast", StringComparison.Ordinal) ? name[..^4] : name))
        {
            throw new TokenizerException(
                $"{vocabularyPath}: these files do not say how a {name} cuts text; give its tokenizer.json, which Transformers writes with save_pretrained");
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

        List<AddedToken> added = AddedTokensJson.Beside(vocabularyPath, config, vocabulary);
        return new BpeDefinition
        {
            Source = vocabularyPath,
            Vocabulary = vocabulary,
            Merges = merges,
            AddedTokens =
            [
                .. added,
                .. WellKnownTokens.All.Where(t => vocabulary.ContainsKey(t) && added.TrueForAll(a => a.Content != t)).Select(t => new AddedToken(vocabulary[t], t, Special: true)),
            ],
            Splits = [SplitStep.Isolated(qwen ? SplitPatterns.Qwen2 : SplitPatterns.Gpt2)],
            ComposesCanonically = qwen,
            Configuration = config,
        };
    }
}
