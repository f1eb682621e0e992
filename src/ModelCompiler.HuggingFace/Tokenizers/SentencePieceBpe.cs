using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>
/// The tokenizer of llama2.c files (tok*.bin): SentencePiece BPE with a score per token, a space before the text and a token per byte
/// for characters without their own.
/// </summary>
public sealed class SentencePieceBpe : Tokenizer
{
    private const int Begin = 1;
    private const int End = 2;
    private const int FirstByte = 3;

    /// <summary>The special tokens by id, as SentencePiece spells them.</summary>
    private static readonly string[] s_spellings = ["<unk>", "<s>", "</s>"];

    private static readonly AddedTokens s_specials = new(s_spellings.Index().Select(s => new AddedToken(s.Index, s.Item, Special: true)));

    private readonly byte[][] _pieces;
    private readonly Dictionary<int, int> _characters = [];
    private readonly MergeTable _merges = new();

    private SentencePieceBpe(byte[][] pieces, float[] scores, TokenizerConfig config)
    {
        _pieces = pieces;

        // Marks and bytes are never made of text.
        int[] ids = [.. Enumerable.Range(0, pieces.Length).Where(id => id >= FirstByte + 256 && pieces[id].Length > 0).DistinctBy(id => Key(pieces[id]))];
        Dictionary<float, int> rankOf = scores.Distinct().OrderDescending().Index().ToDictionary(s => s.Item, s => s.Index);
        foreach ((int left, int right, int merged) in PieceMerges.Of([.. ids.Select(id => pieces[id])]))
        {
            _merges.Add(ids[left], ids[right], rankOf[scores[ids[merged]]], ids[merged]);
        }

        foreach (int id in ids)
        {
            if (Rune.DecodeFromUtf8(pieces[id], out Rune character, out int length) == OperationStatus.Done && length == pieces[id].Length)
            {
                _characters.Add(character.Value, id);
            }
        }

        // llama2.c begins every text and ends none, unless a configuration says otherwise.
        TokenizerMarks marks = TokenizerMarks.Of(
            config with { AddsBegin = config.AddsBegin ?? true, AddsEnd = config.AddsEnd ?? false }, ([], []), IdOf, s_spellings.Contains);
        BosToken = marks.Begin;
        EosToken = marks.End;
        Prefix = marks.Prefix;
        Suffix = marks.Suffix;
    }

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Length;

    /// <inheritdoc/>
    public override int? BosToken { get; }

    /// <inheritdoc/>
    public override int? EosToken { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Prefix { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<int> Suffix { get; }

    /// <summary>Loads a tok*.bin: the longest token's length, then per token a float32 score, an int32 length and its bytes.</summary>
    /// <exception cref="TokenizerException">The file cannot be read or is not one.</exception>
    public static SentencePieceBpe Load(string path)
    {
        byte[] bytes = TokenizerFile.ReadBytes(path);
        var pieces = new List<byte[]>();
        var scores = new List<float>();
        int at = 4;
        while (at < bytes.Length)
        {
            int length = at + 8 <= bytes.Length ? BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4)) : -1;
            if (length < 0 || length > bytes.Length - at - 8)
            {
                throw new TokenizerException($"{path}: token {pieces.Count} is cut short at byte {at}; the file is truncated or not a llama2.c tokenizer");
            }

            float score = BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(at));
            if (!float.IsFinite(score))
            {
                throw new TokenizerException($"{path}: the score of token {pieces.Count} is {score.ToString(CultureInfo.InvariantCulture)}; the file is damaged");
            }

            scores.Add(score);
            pieces.Add(bytes.AsSpan(at + 8, length).ToArray());
            at += 8 + length;
        }

        for (int value = 0; value < 256; value++)
        {
            string expected = string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");
            if (pieces.Count <= FirstByte + value || !pieces[FirstByte + value].AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(expected)))
            {
                throw new TokenizerException($"{path}: token {FirstByte + value} must be {expected}; this is not a llama2.c tokenizer with byte tokens");
            }
        }

        return new SentencePieceBpe([.. pieces], [.. scores], TokenizerConfig.Beside(path));
    }

    /// <inheritdoc/>
    public override int[] Encode(IReadOnlyList<TextPart> parts)
    {
        var ids = new List<int>();
        foreach ((string text, int? mark) in Cut(parts))
        {
            if (mark is { } id)
            {
                ids.Add(id);
            }
            else
            {
                ids.AddRange(EncodePiece(text));
            }
        }

        return [.. ids];
    }

    /// <inheritdoc/>
    public override string? Spelling(int id) => (uint)id < (uint)s_spellings.Length ? s_spellings[id] : null;

    /// <inheritdoc/>
    public override bool SpellsSpecialToken(string text) => s_specials.AnyIn(text);

    /// <inheritdoc/>
    /// <remarks>The marks of beginning and end are left out, and the space that <see cref="Encode"/> put before the text.</remarks>
    public override byte[] DecodeBytes(ReadOnlySpan<int> ids)
    {
        var bytes = new List<byte>();
        bool first = true;
        foreach (int id in ids)
        {
            if ((uint)id >= (uint)_pieces.Length)
            {
                throw Outside(id);
            }

            if (id is Begin or End)
            {
                first = true;
                continue;
            }

            ReadOnlySpan<byte> piece = _pieces[id];
            if (id is >= FirstByte and < FirstByte + 256)
            {
                bytes.Add((byte)(id - FirstByte));
            }
            else
            {
                bytes.AddRange(first && piece.StartsWith(" "u8) ? piece[1..] : piece);
            }

            first = false;
        }

        return [.. bytes];
    }

    /// <summary>Bytes as a key: Latin-1 makes strings of them without losing any.</summary>
    private static string Key(byte[] piece) => Encoding.Latin1.GetString(piece);

    /// <summary>Text and special tokens spelled in markup, in order.</summary>
    private static IEnumerable<(string Text, int? Mark)> Cut(IReadOnlyList<TextPart> parts)
    {
        var text = new StringBuilder();
        foreach (TextPart part in parts)
        {
            if (!part.IsMarkup)
            {
                text.Append(part.Text);
                continue;
            }

            foreach ((Range range, AddedToken? token) in s_specials.Split(part.Text, static (_, _, _) => true))
            {
                if (token is null)
                {
                    text.Append(part.Text.AsSpan(range));
                    continue;
                }

                yield return (text.ToString(), null);
                text.Clear();
                yield return ("", token.Id);
            }
        }

        yield return (text.ToString(), null);
    }

    private int? IdOf(string token)
    {
        int id = Array.IndexOf(s_spellings, token);
        byte[] utf8 = Encoding.UTF8.GetBytes(token);
        id = id >= 0 ? id : Array.FindIndex(_pieces, p => p.AsSpan().SequenceEqual(utf8));
        return id >= 0 ? id : null;
    }

    /// <summary>A space, then the characters, merged.</summary>
    private int[] EncodePiece(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }

        var ids = new List<int>(text.Length + 1);
        AddCharacter(new Rune(' '), ids);
        foreach (Rune rune in text.EnumerateRunes())
        {
            AddCharacter(rune, ids);
        }

        Span<int> merged = CollectionsMarshal.AsSpan(ids);
        return merged[.._merges.Merge(merged)].ToArray();
    }

    private void AddCharacter(Rune character, List<int> ids)
    {
        if (_characters.TryGetValue(character.Value, out int id))
        {
            ids.Add(id);
            return;
        }

        Span<byte> utf8 = stackalloc byte[4];
        foreach (byte value in utf8[..character.EncodeToUtf8(utf8)])
        {
            ids.Add(FirstByte + value);
        }
    }
}
