using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ModelCompiler.Tokenizers;

/// <summary>
/// The tokenizer of llama2.c files (tok*.bin): SentencePiece BPE with a score per token, a space before the text and a token per byte
/// for characters without their own.
/// </summary>
public sealed class SentencePieceBpe : Tokenizer
{
    private const int Begin = 1;
    private const int End = 2;
    private const int FirstByte = 3;

    private readonly byte[][] _pieces;
    private readonly Dictionary<int, int> _characters = [];
    private readonly MergeTable _merges = new();

    private SentencePieceBpe(byte[][] pieces, float[] scores)
    {
        _pieces = pieces;
        // Latin-1 makes strings of bytes without losing any, and strings are ready-made keys.
        var idOf = new Dictionary<string, int>(StringComparer.Ordinal);
        for (int id = 0; id < pieces.Length; id++)
        {
            idOf.TryAdd(Encoding.Latin1.GetString(pieces[id]), id);
        }

        float[] descending = [.. scores.Distinct().OrderDescending()];
        Dictionary<float, int> rankOf = descending.Index().ToDictionary(s => s.Item, s => s.Index);
        foreach ((string piece, int id) in idOf)
        {
            for (int cut = 1; cut < piece.Length; cut++)
            {
                if (idOf.TryGetValue(piece[..cut], out int left) && idOf.TryGetValue(piece[cut..], out int right))
                {
                    _merges.Add(left, right, rankOf[scores[id]], id);
                }
            }

            if (Rune.DecodeFromUtf8(pieces[id], out Rune character, out int length) == OperationStatus.Done && length == pieces[id].Length)
            {
                _characters.Add(character.Value, id);
            }
        }
    }

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Length;

    /// <inheritdoc/>
    public override int? BeginOfText => Begin;

    /// <inheritdoc/>
    public override int? EndOfText => End;

    /// <summary>Loads a tok*.bin: the longest token's length, then per token a float32 score, an int32 length and its bytes.</summary>
    /// <exception cref="TokenizerException">The file cannot be read or is not one.</exception>
    public static new SentencePieceBpe Load(string path)
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
                throw new TokenizerException($"{path}: token {pieces.Count} is cut short at byte {at}; the file is truncated or no llama2.c tokenizer");
            }

            scores.Add(BinaryPrimitives.ReadSingleLittleEndian(bytes.AsSpan(at)));
            pieces.Add(bytes.AsSpan(at + 8, length).ToArray());
            at += 8 + length;
        }

        for (int value = 0; value < 256; value++)
        {
            string expected = string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");
            if (pieces.Count <= FirstByte + value || !pieces[FirstByte + value].AsSpan().SequenceEqual(Encoding.ASCII.GetBytes(expected)))
            {
                throw new TokenizerException($"{path}: token {FirstByte + value} must be {expected}; this is no llama2.c tokenizer with byte tokens");
            }
        }

        return new SentencePieceBpe([.. pieces], [.. scores]);
    }

    /// <inheritdoc/>
    public override int[] Encode(string text)
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
