using System.Buffers;

namespace ModelCompiler.Tokenizers;

/// <summary>A token that is recognised in the text before it is cut into words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">How it is spelled.</param>
/// <param name="Special">Whether it marks structure rather than text.</param>
/// <param name="Normalized">Whether it is looked for after normalization.</param>
/// <param name="StripLeft">Whether it swallows white space before it.</param>
/// <param name="StripRight">Whether it swallows white space after it.</param>
public sealed record AddedToken(int Id, string Content, bool Special, bool Normalized = false, bool StripLeft = false, bool StripRight = false);

/// <summary>Finds added tokens: the leftmost first, of several there the longest.</summary>
internal sealed class AddedTokens
{
    private readonly AddedToken[] _longestFirst;
    private readonly SearchValues<string>? _contents;

    public AddedTokens(IEnumerable<AddedToken> tokens)
    {
        _longestFirst = [.. tokens.Where(t => t.Content.Length > 0).OrderByDescending(t => t.Content.Length)];
        _contents = _longestFirst.Length == 0 ? null : SearchValues.Create([.. _longestFirst.Select(t => t.Content)], StringComparison.Ordinal);
    }

    /// <summary>Cuts a text: each part is text, or one token.</summary>
    public IEnumerable<(string Text, AddedToken? Token)> Split(string text)
    {
        int reached = 0;
        while (_contents is not null && text.AsSpan(reached).IndexOfAny(_contents) is >= 0 and int found)
        {
            int start = reached + found;
            AddedToken token = _longestFirst.First(t => string.CompareOrdinal(text, start, t.Content, 0, t.Content.Length) == 0);
            int end = start + token.Content.Length;
            while (token.StripLeft && start > reached && char.IsWhiteSpace(text[start - 1]))
            {
                start--;
            }

            while (token.StripRight && end < text.Length && char.IsWhiteSpace(text[end]))
            {
                end++;
            }

            if (start > reached)
            {
                yield return (text[reached..start], null);
            }

            yield return (token.Content, token);
            reached = end;
        }

        if (reached < text.Length)
        {
            yield return (reached == 0 ? text : text[reached..], null);
        }
    }
}
