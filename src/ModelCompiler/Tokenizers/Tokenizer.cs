using System.Text;

namespace ModelCompiler.Tokenizers;

/// <summary>Between text and token ids. Safe to use from several threads.</summary>
public abstract class Tokenizer
{
    /// <summary>One more than the largest id.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The id that starts a text, if the tokenizer has one.</summary>
    public abstract int? BeginOfText { get; }

    /// <summary>The id that ends a text, if the tokenizer has one.</summary>
    public abstract int? EndOfText { get; }

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

    /// <summary>The ids that are put before a text: a begin mark, several, or none, as the tokenizer's files say.</summary>
    public virtual IReadOnlyList<int> Prefix => BeginOfText is { } begin ? [begin] : [];

    /// <summary>The ids that are put after a text that is complete; most tokenizers have none.</summary>
    public virtual IReadOnlyList<int> Suffix => [];

    /// <summary>The ids of a text. Nothing is put before or after; special tokens that are spelled in it are tokens.</summary>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] Encode(string text) => Encode([new TextPart(text, IsMarkup: true)]);

    /// <summary>The ids of a user's text. Nothing is put before or after; special tokens that are spelled in it are text.</summary>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] EncodeText(string text) => Encode([new TextPart(text, IsMarkup: false)]);

    /// <summary>The ids of parts that follow each other. Nothing is put before or after; special tokens are recognised within markup alone.</summary>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public abstract int[] Encode(IReadOnlyList<TextPart> parts);

    /// <summary>How a special token is spelled in a text; null where the id is no special token.</summary>
    public virtual string? Spelling(int id) => null;

    /// <summary>Whether a text spells a special token.</summary>
    public virtual bool SpellsSpecialToken(string text) => false;

    /// <summary>The UTF-8 bytes of tokens; a token may end in the middle of a character.</summary>
    /// <exception cref="TokenizerException">An id is outside the vocabulary.</exception>
    public abstract byte[] DecodeBytes(ReadOnlySpan<int> ids);

    /// <summary>The text of tokens; bytes that are no UTF-8 become U+FFFD.</summary>
    /// <exception cref="TokenizerException">An id is outside the vocabulary.</exception>
    public string Decode(ReadOnlySpan<int> ids) => Encoding.UTF8.GetString(DecodeBytes(ids));

    /// <summary>The error of an id that no token has.</summary>
    protected TokenizerException Outside(int id) =>
        new($"token id {id} is outside the tokenizer's vocabulary of {VocabularySize}");

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
