using System.Text;

namespace ModelCompiler.Tokenizers;

/// <summary>Between text and token ids. Safe to use from several threads.</summary>
public abstract class Tokenizer
{
    /// <summary>One more than the largest id.</summary>
    public abstract int VocabularySize { get; }

    /// <summary>The id that starts a text, if the tokenizer has one.</summary>
    public abstract int? BosToken { get; }

    /// <summary>The id that ends a text, if the tokenizer has one.</summary>
    public abstract int? EosToken { get; }

    /// <summary>The ids that are put before a text: a begin mark, several, or none, as the tokenizer's files say.</summary>
    public virtual IReadOnlyList<int> Prefix => BosToken is { } begin ? [begin] : [];

    /// <summary>The ids that are put after a text that is complete; most tokenizers have none.</summary>
    public virtual IReadOnlyList<int> Suffix => [];

    /// <summary>The ids of a text. Nothing is put before or after; special tokens that are spelled in it are tokens.</summary>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] Encode(string text) => Encode([new TextPart(text, IsMarkup: true)]);

    /// <summary>The ids of a user's text. Nothing is put before or after; special tokens that are spelled in it are text.</summary>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] EncodeText(string text) => Encode([new TextPart(text, IsMarkup: false)]);

    /// <summary>The ids of parts that follow each other. Nothing is put before or after; special tokens are recognized within markup alone.</summary>
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
}
