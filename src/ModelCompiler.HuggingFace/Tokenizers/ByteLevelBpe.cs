using System.Collections.Concurrent;
using System.Text;
using ModelCompiler.Files;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// Byte-level byte-pair encoding as in GPT-2, Llama 3 and Qwen: any text is UTF-8 bytes, cut into words, whose bytes merge by rank.
/// </summary>
public sealed class ByteLevelBpe : Tokenizer
{
    /// <summary>The Hugging Face name of the file.</summary>
    public const string FileName = "tokenizer.json";

    private const int CachedWords = 1 << 17;
    private const int CachedWordLength = 64;
    private const int WordBytesOnStack = 512;

    private readonly BpeDefinition _definition;
    private readonly byte[]?[] _bytes;
    private readonly int[] _byteIds = new int[256];
    private readonly MergeTable _merges = new();
    private readonly PreTokenizer _preTokenizer;
    private readonly AddedTokens _rawTokens;
    private readonly AddedTokens _normalizedTokens;
    private readonly AddedTokens _specialTokens;
    private readonly Dictionary<int, string> _spellings;
    private readonly ConcurrentDictionary<string, int[]> _words = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, int[]>.AlternateLookup<ReadOnlySpan<char>> _wordsBySpan;

    internal ByteLevelBpe(BpeDefinition definition)
    {
        _definition = definition;
        _preTokenizer = new PreTokenizer(definition.Splits, definition.Source);
        _rawTokens = new AddedTokens(definition.AddedTokens.Where(t => !t.Normalized));
        _normalizedTokens = new AddedTokens(definition.AddedTokens.Where(t => t.Normalized), Normalize);
        _specialTokens = new AddedTokens(definition.AddedTokens.Where(t => t.Special));
        _spellings = definition.AddedTokens.Where(t => t.Special).ToDictionary(t => t.Id, t => t.Content);
        _wordsBySpan = _words.GetAlternateLookup<ReadOnlySpan<char>>();
        _bytes = new byte[]?[definition.Vocabulary.Values.Concat(definition.AddedTokens.Select(t => t.Id)).Append(-1).Max() + 1];
        foreach ((string token, int id) in definition.Vocabulary)
        {
            _bytes[id] = ByteAlphabet.Read(token);
        }

        foreach (AddedToken token in definition.AddedTokens)
        {
            _bytes[token.Id] = Encoding.UTF8.GetBytes(token.Content);
        }

        for (int value = 0; value < 256; value++)
        {
            _byteIds[value] = definition.Vocabulary.GetValueOrDefault(ByteAlphabet.Character((byte)value).ToString(), -1);
        }

        AddMerges();
        HashSet<string> added = [.. definition.AddedTokens.Select(t => t.Content)];
        TokenizerMarks marks = TokenizerMarks.Of(definition.Configuration, (definition.Prefix, definition.Suffix), IdOf, added.Contains);
        BosToken = marks.Begin;
        EosToken = marks.End;
        Prefix = Known(marks.Prefix);
        Suffix = Known(marks.Suffix);
    }

    /// <inheritdoc/>
    public override int VocabularySize => _bytes.Length;

    /// <inheritdoc/>
    public override int? BosToken { get; }

    /// <inheritdoc/>
    public override int? EosToken { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Prefix { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Suffix { get; }

    /// <summary>The tokens that are recognized before the text is cut into words.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => _definition.AddedTokens;

    /// <summary>Loads a Hugging Face tokenizer.json; a tokenizer_config.json beside it says which tokens begin and end a text.</summary>
    /// <exception cref="TokenizerException">The file cannot be read, is damaged, or is of a kind that is not supported.</exception>
    public static ByteLevelBpe Load(string path) => new(TokenizerJson.Read(path));

    /// <summary>Loads GPT-2's pair of files.</summary>
    /// <param name="vocabularyPath">encoder.json or vocab.json.</param>
    /// <param name="mergesPath">vocab.bpe or merges.txt.</param>
    /// <exception cref="TokenizerException">A file cannot be read or is damaged.</exception>
    public static ByteLevelBpe Load(string vocabularyPath, string mergesPath) => new(Gpt2Files.Read(vocabularyPath, mergesPath));

    /// <summary>Writes a Hugging Face tokenizer.json.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public void Save(string path) => AtomicFile.WriteBytes(path, TokenizerJsonWriter.Write(_definition with { Prefix = [.. Prefix], Suffix = [.. Suffix] }));

    /// <summary>The id of a token spelled as in the vocabulary, or of an added token.</summary>
    public int? IdOf(string? token) =>
        token is null ? null
        : _definition.AddedTokens.FirstOrDefault(t => t.Content == token) is { } added ? added.Id
        : _definition.Vocabulary.TryGetValue(token, out int id) ? id
        : null;

    /// <inheritdoc/>
    public override int[] Encode(IReadOnlyList<TextPart> parts)
    {
        string text = parts.Count == 1 ? parts[0].Text : string.Concat(parts.Select(p => p.Text));
        var ids = new List<int>(text.Length / 3 + 4);
        if (parts.All(p => p.IsMarkup))
        {
            EncodeMixed(text, static (_, _, _) => true, ids);
            return [.. ids];
        }

        Range[] markup = Markup(parts);
        foreach ((Range part, AddedToken? token) in _specialTokens.Split(text, (_, start, end) => markup.Any(m => start >= m.Start.Value && end <= m.End.Value)))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
            }
            else
            {
                EncodeMixed(text[part], static (added, _, _) => !added.Special, ids);
            }
        }

        return [.. ids];
    }

    /// <inheritdoc/>
    public override string? Spelling(int id) => _spellings.GetValueOrDefault(id);

    /// <inheritdoc/>
    public override bool SpellsSpecialToken(string text) => _specialTokens.AnyIn(text);

    /// <inheritdoc/>
    /// <remarks>Special tokens appear as they are spelled.</remarks>
    public override byte[] DecodeBytes(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>(ids.Length * 4);
        foreach (int id in ids)
        {
            bytes.AddRange((uint)id < (uint)_bytes.Length && _bytes[id] is { } token ? token : throw Outside(id));
        }

        return [.. bytes];
    }

    /// <summary>Where in the whole text the markup lies.</summary>
    private static Range[] Markup(IReadOnlyList<TextPart> parts)
    {
        var markup = new List<Range>();
        int at = 0;
        foreach (TextPart part in parts)
        {
            if (part.IsMarkup)
            {
                markup.Add(at..(at + part.Text.Length));
            }

            at += part.Text.Length;
        }

        return [.. markup];
    }

    /// <summary>Encodes text with the added tokens that <paramref name="allows"/> admits.</summary>
    private void EncodeMixed(string text, Func<AddedToken, int, int, bool> allows, List<int> ids)
    {
        foreach ((Range raw, AddedToken? token) in _rawTokens.Split(text, allows))
        {
            if (token is not null)
            {
                ids.Add(token.Id);
                continue;
            }

            string normalized = Normalize(text[raw]);
            foreach ((Range part, AddedToken? inner) in _normalizedTokens.Split(normalized, allows))
            {
                if (inner is not null)
                {
                    ids.Add(inner.Id);
                }
                else
                {
                    EncodeText(normalized[part], ids);
                }
            }
        }
    }

    private string Normalize(string text) => _definition.ComposesCanonically ? CanonicalComposition.Of(text) : text;

    private IReadOnlyList<int> Known(IReadOnlyList<int> marks) =>
        marks.Cast<int?>().FirstOrDefault(id => (uint)id!.Value >= (uint)_bytes.Length || _bytes[id.Value] is null) is { } unknown
            ? throw new TokenizerException($"{_definition.Source}: the post-processor adds token id {unknown}, which the vocabulary lacks")
            : marks;

    private void AddMerges()
    {
        IReadOnlyDictionary<string, int> ids = _definition.Vocabulary;
        int rank = 0;
        foreach ((string left, string right) in _definition.Merges)
        {
            if (!ids.TryGetValue(left, out int leftId) || !ids.TryGetValue(right, out int rightId) || !ids.TryGetValue(left + right, out int merged))
            {
                throw new TokenizerException($"{_definition.Source}: merge {rank + 1} of '{left}' and '{right}' names a token that the vocabulary lacks; the file is damaged");
            }

            _merges.Add(leftId, rightId, rank++, merged);
        }
    }

    private void EncodeText(string text, List<int> ids)
    {
        if (_definition.AddsPrefixSpace && !text.StartsWith(' '))
        {
            text = " " + text;
        }

        foreach (Range range in _preTokenizer.Split(text))
        {
            ReadOnlySpan<char> word = text.AsSpan(range);
            if (_wordsBySpan.TryGetValue(word, out int[]? known))
            {
                ids.AddRange(known);
                continue;
            }

            int[] encoded = EncodeWord(word);
            ids.AddRange(encoded);
            if (word.Length <= CachedWordLength && _words.Count < CachedWords)
            {
                _words.TryAdd(word.ToString(), encoded);
            }
        }
    }

    private int[] EncodeWord(ReadOnlySpan<char> word)
    {
        int capacity = Encoding.UTF8.GetMaxByteCount(word.Length);
        Span<byte> buffer = capacity <= WordBytesOnStack ? stackalloc byte[WordBytesOnStack] : new byte[capacity];
        ReadOnlySpan<byte> utf8 = buffer[..Encoding.UTF8.GetBytes(word, buffer)];
        if (_definition.IgnoresMerges && _definition.Vocabulary.TryGetValue(ByteAlphabet.Write(utf8), out int whole))
        {
            return [whole];
        }

        var ids = new int[utf8.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = _byteIds[utf8[i]];
            if (ids[i] < 0)
            {
                throw new TokenizerException($"{_definition.Source}: the vocabulary has no token for byte 0x{utf8[i]:X2}, so '{word}' cannot be encoded");
            }
        }

        return ids[.._merges.Merge(ids)];
    }
}
