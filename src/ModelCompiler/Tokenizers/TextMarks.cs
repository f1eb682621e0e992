namespace ModelCompiler.Tokenizers;

/// <summary>How many texts carried marks of their own, or spell special tokens.</summary>
/// <param name="Begun">Texts that carried their begin mark.</param>
/// <param name="Ended">Texts that carried their end mark.</param>
/// <param name="SpelledAsText">Texts that spell a special token which stayed text.</param>
public readonly record struct MarkCounts(int Begun, int Ended, int SpelledAsText);

/// <summary>
/// Puts a tokenizer's marks around texts. A mark that the text already spells where it would be put is taken for it and not added again;
/// such texts are counted. Special tokens spelled anywhere else in a text stay text, and are counted too. Not for several threads at once.
/// </summary>
public sealed class TextMarks
{
    private readonly Tokenizer _tokenizer;
    private readonly int[] _prefix;
    private readonly int[] _suffix;
    private readonly string _prefixSpelling;
    private readonly string _endSpelling;

    /// <summary>Prepares the marks of a tokenizer.</summary>
    public TextMarks(Tokenizer tokenizer)
    {
        _tokenizer = tokenizer;
        _prefix = [.. tokenizer.Prefix];

        // What is learned ends with the end mark, whether or not the tokenizer puts it after every text.
        _suffix = tokenizer.EosToken is { } end && !tokenizer.Suffix.Contains(end) ? [.. tokenizer.Suffix, end] : [.. tokenizer.Suffix];
        _prefixSpelling = string.Concat(_prefix.Select(tokenizer.Spelling));
        _endSpelling = tokenizer.EosToken is { } mark ? tokenizer.Spelling(mark) ?? "" : "";
    }

    /// <summary>Texts that carried their begin mark.</summary>
    public int Begun { get; private set; }

    /// <summary>Texts that carried their end mark.</summary>
    public int Ended { get; private set; }

    /// <summary>Texts that spell a special token which stayed text.</summary>
    public int SpelledAsText { get; private set; }

    /// <summary>All three.</summary>
    public MarkCounts Counts => new(Begun, Ended, SpelledAsText);

    /// <summary>How many ids come before a text.</summary>
    public int PrefixLength => _prefix.Length;

    /// <summary>The ids of a user's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="begins">Whether it is the beginning, where the begin mark belongs.</param>
    /// <param name="ends">Whether it is the end, where the end mark belongs.</param>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] Encode(string text, bool begins, bool ends) => Encode([new TextPart(text, IsMarkup: false)], begins, ends);

    /// <summary>The ids of parts that follow each other.</summary>
    /// <param name="parts">User text, and markup whose special tokens are tokens.</param>
    /// <param name="begins">Whether they are the beginning, where the begin mark belongs.</param>
    /// <param name="ends">Whether they are the end, where the end mark belongs.</param>
    /// <exception cref="TokenizerException">The vocabulary cannot express the text.</exception>
    public int[] Encode(IReadOnlyList<TextPart> parts, bool begins, bool ends)
    {
        List<TextPart> known = [.. parts];
        if (begins && _prefixSpelling.Length > 0)
        {
            RecognizeBegin(known);
        }

        if (ends && _endSpelling.Length > 0)
        {
            RecognizeEnd(known);
        }

        SpelledAsText += known.Exists(p => !p.IsMarkup && _tokenizer.SpellsSpecialToken(p.Text)) ? 1 : 0;
        ReadOnlySpan<int> ids = _tokenizer.Encode(known);
        int length = ids.Length;
        while (begins && _prefix.Length > 0 && ids.StartsWith(_prefix))
        {
            ids = ids[_prefix.Length..];
        }

        Begun += ids.Length < length ? 1 : 0;
        length = ids.Length;
        while (ends && _tokenizer.EosToken is { } end && ids.Length > 0 && ids[^1] == end)
        {
            ids = ids[..^1];
        }

        Ended += ids.Length < length ? 1 : 0;
        return [.. begins ? _prefix : [], .. ids, .. ends ? _suffix : []];
    }

    /// <summary>Makes markup of begin marks that the first text spells at its beginning.</summary>
    private void RecognizeBegin(List<TextPart> parts)
    {
        if (parts.Count == 0 || parts[0].IsMarkup)
        {
            return;
        }

        string text = parts[0].Text;
        int length = 0;
        while (string.CompareOrdinal(text, length, _prefixSpelling, 0, _prefixSpelling.Length) == 0)
        {
            length += _prefixSpelling.Length;
        }

        if (length > 0)
        {
            parts[0] = new TextPart(text[length..], IsMarkup: false);
            parts.Insert(0, new TextPart(text[..length], IsMarkup: true));
        }
    }

    /// <summary>Makes markup of end marks that the last text spells at its end.</summary>
    private void RecognizeEnd(List<TextPart> parts)
    {
        if (parts.Count == 0 || parts[^1].IsMarkup)
        {
            return;
        }

        string text = parts[^1].Text;
        int start = text.Length;
        while (text.AsSpan(0, start).EndsWith(_endSpelling, StringComparison.Ordinal))
        {
            start -= _endSpelling.Length;
        }

        if (start < text.Length)
        {
            parts[^1] = new TextPart(text[..start], IsMarkup: false);
            parts.Add(new TextPart(text[start..], IsMarkup: true));
        }
    }
}
