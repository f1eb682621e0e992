using System.Buffers;
using System.Globalization;
using System.Text;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>A token that is recognized in the text before it is cut into words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">How it is spelled.</param>
/// <param name="Special">Whether it marks structure rather than text.</param>
/// <param name="Normalized">Whether it is looked for after normalization.</param>
/// <param name="StripLeft">Whether it swallows white space before it.</param>
/// <param name="StripRight">Whether it swallows white space after it.</param>
/// <param name="SingleWord">Whether it is recognized only where no word goes on before or after it.</param>
public sealed record AddedToken(
    int Id, string Content, bool Special, bool Normalized = false, bool StripLeft = false, bool StripRight = false, bool SingleWord = false);

/// <summary>Finds added tokens as Hugging Face's library does: the leftmost first, of several there the longest.</summary>
internal sealed class AddedTokens
{
    private readonly (string Content, AddedToken Token)[] _longestFirst;
    private readonly SearchValues<string>? _contents;

    /// <param name="tokens">The tokens; of one content the first counts.</param>
    /// <param name="normalize">What is done to a text before the tokens are looked for, and so to their contents.</param>
    public AddedTokens(IEnumerable<AddedToken> tokens, Func<string, string>? normalize = null)
    {
        _longestFirst =
        [
            .. tokens.Select(t => (Content: normalize?.Invoke(t.Content) ?? t.Content, Token: t))
                .Where(t => t.Content.Length > 0)
                .DistinctBy(t => t.Content)
                .OrderByDescending(t => t.Content.Length),
        ];
        _contents = _longestFirst.Length == 0 ? null : SearchValues.Create([.. _longestFirst.Select(t => t.Content)], StringComparison.Ordinal);
    }

    /// <summary>Cuts a text: each part is text, or one token.</summary>
    /// <param name="text">The text.</param>
    /// <param name="allows">Whether a token counts that is spelled from one position to another; one that does not stays text.</param>
    public IEnumerable<(Range Part, AddedToken? Token)> Split(string text, Func<AddedToken, int, int, bool> allows)
    {
        int searched = 0;
        int reached = 0;
        while (_contents is not null && text.AsSpan(searched).IndexOfAny(_contents) is >= 0 and int found)
        {
            int start = searched + found;
            (string content, AddedToken token) = _longestFirst.First(t => string.CompareOrdinal(text, start, t.Content, 0, t.Content.Length) == 0);
            int end = start + content.Length;
            searched = end;
            if (!allows(token, start, end) || (token.SingleWord && (EndsWithWord(text.AsSpan(0, start)) || StartsWithWord(text.AsSpan(end)))))
            {
                continue;
            }

            if (token.StripLeft)
            {
                start = Math.Max(text.AsSpan(0, start).TrimEnd().Length, reached);
            }

            if (token.StripRight)
            {
                end = text.Length - text.AsSpan(end).TrimStart().Length;
            }

            if (start > reached)
            {
                yield return (reached..start, null);
            }

            yield return (start..end, token);
            reached = end;
        }

        if (reached < text.Length)
        {
            yield return (reached..text.Length, null);
        }
    }

    /// <summary>Whether a text spells any of the tokens.</summary>
    public bool AnyIn(string text) => _contents is not null && text.AsSpan().ContainsAny(_contents);

    private static bool EndsWithWord(ReadOnlySpan<char> text) => Rune.DecodeLastFromUtf16(text, out Rune last, out _) == OperationStatus.Done && IsWord(last);

    private static bool StartsWithWord(ReadOnlySpan<char> text) => Rune.DecodeFromUtf16(text, out Rune first, out _) == OperationStatus.Done && IsWord(first);

    /// <summary>\w of Rust's regular expressions: alphabetic, marks, decimal digits, connectors and joiners.</summary>
    private static bool IsWord(Rune character) => Rune.GetUnicodeCategory(character) switch
    {
        <= UnicodeCategory.LetterNumber or UnicodeCategory.ConnectorPunctuation => true,
        UnicodeCategory.OtherSymbol => UnicodeProperty.IsCircledLetter(character.Value),
        _ => character.Value is 0x200C or 0x200D,
    };
}
