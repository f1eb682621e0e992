using ModelCompiler.Files;

namespace ModelCompiler.Hosting;

/// <summary>The tokenizer of a base, which a base made from it needs too.</summary>
internal static class TokenizerFiles
{
    /// <summary>What tokenizers are read from, here and by Transformers.</summary>
    private static readonly string[] s_patterns =
    [
        "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "tokenizer.model", "encoder.json", "vocab.bpe", "vocab.json", "merges.txt", "tok*.bin",
    ];

    /// <summary>Copies what there is.</summary>
    /// <returns>The copies.</returns>
    /// <exception cref="OutputException">A file cannot be written.</exception>
    public static string[] Copy(string from, string to)
    {
        string[] files = Directory.Exists(from) ? [.. s_patterns.SelectMany(pattern => Directory.GetFiles(from, pattern))] : [];
        return [.. files.Select(file =>
        {
            string copy = Path.Combine(to, Path.GetFileName(file));
            AtomicFile.WriteBytes(copy, File.ReadAllBytes(file));
            return copy;
        })];
    }
}
