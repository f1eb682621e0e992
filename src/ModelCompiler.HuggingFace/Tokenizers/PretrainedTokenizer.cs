using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Loads the tokenizer of a model from its files.</summary>
public static class PretrainedTokenizer
{
    /// <summary>
    /// Loads a tokenizer: a folder or file with Hugging Face tokenizer.json, GPT-2's encoder.json and vocab.bpe (or vocab.json and
    /// merges.txt), or llama2.c's tok*.bin.
    /// </summary>
    /// <exception cref="TokenizerException">There is no tokenizer, or it is damaged or of a kind that is not supported.</exception>
    public static Tokenizer Load(string fileOrFolder)
    {
        if (Directory.Exists(fileOrFolder))
        {
            return LoadFolder(fileOrFolder);
        }

        if (!File.Exists(fileOrFolder))
        {
            throw new TokenizerException($"{fileOrFolder}: no such file or folder; give a tokenizer.json, an encoder.json with its vocab.bpe, or a llama2.c tok*.bin");
        }

        return Path.GetExtension(fileOrFolder) switch
        {
            ".bin" => SentencePieceBpe.Load(fileOrFolder),
            ".bpe" or ".txt" => LoadPair(Path.GetDirectoryName(Path.GetFullPath(fileOrFolder))!)
                ?? throw new TokenizerException($"{fileOrFolder}: no encoder.json or vocab.json beside it"),
            _ when Path.GetFileName(fileOrFolder) is "encoder.json" or "vocab.json" => LoadPair(Path.GetDirectoryName(Path.GetFullPath(fileOrFolder))!)
                ?? throw new TokenizerException($"{fileOrFolder}: no vocab.bpe or merges.txt beside it"),
            _ => ByteLevelBpe.Load(fileOrFolder),
        };
    }

    private static Tokenizer LoadFolder(string folder)
    {
        string json = Path.Combine(folder, ByteLevelBpe.FileName);
        if (File.Exists(json))
        {
            return ByteLevelBpe.Load(json);
        }

        if (LoadPair(folder) is { } pair)
        {
            return pair;
        }

        string[] binaries = [.. Directory.GetFiles(folder, "tok*.bin").Order(StringComparer.Ordinal)];
        return binaries.Length switch
        {
            1 => SentencePieceBpe.Load(binaries[0]),
            0 => throw new TokenizerException($"{folder}: the folder has no tokenizer.json, no encoder.json with vocab.bpe and no tok*.bin"),
            _ => throw new TokenizerException($"{folder}: the folder has several tok*.bin; name the one to use"),
        };
    }

    private static ByteLevelBpe? LoadPair(string folder)
    {
        foreach ((string vocabulary, string merges) in new[] { ("encoder.json", "vocab.bpe"), ("vocab.json", "merges.txt") })
        {
            string first = Path.Combine(folder, vocabulary);
            string second = Path.Combine(folder, merges);
            if (File.Exists(first) && File.Exists(second))
            {
                return ByteLevelBpe.Load(first, second);
            }
        }

        return null;
    }
}
