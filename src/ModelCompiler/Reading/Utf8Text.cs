using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace ModelCompiler.Reading;

/// <summary>UTF-8 as users have it: a byte order mark is no part of the text, anything else than UTF-8 is named.</summary>
internal static class Utf8Text
{
    private static ReadOnlySpan<byte> Mark => "\uFEFF"u8;

    /// <summary>The text's bytes without a byte order mark.</summary>
    /// <param name="bytes">The file's bytes.</param>
    /// <param name="source">Their file, for messages.</param>
    /// <param name="failure">Makes the reader's exception.</param>
    /// <exception cref="ModelCompilerException">The bytes are no UTF-8; encoding or place is named.</exception>
    public static ReadOnlyMemory<byte> Check(ReadOnlyMemory<byte> bytes, string source, ReadFailure failure)
    {
        ReadOnlySpan<byte> span = bytes.Span;
        if (OtherEncoding(span) is { } encoding)
        {
            throw failure(source, $"is {encoding}; convert it to UTF-8");
        }

        if (!Utf8.IsValid(span))
        {
            int offset = FirstInvalid(span);
            throw failure(source, $"is not UTF-8 at {Place(span, offset)} (byte 0x{span[offset]:X2} at {offset}); the file is damaged or has another encoding: convert it to UTF-8");
        }

        return span.StartsWith(Mark) ? bytes[Mark.Length..] : bytes;
    }

    /// <summary>A place as a person counts it; only the column in a text of one line.</summary>
    public static string Place(ReadOnlySpan<byte> text, int offset)
    {
        ReadOnlySpan<byte> before = text[..Math.Min(offset, text.Length)];
        int lineStart = before.LastIndexOf((byte)'\n') + 1;
        string column = $"column {Encoding.UTF8.GetCharCount(before[lineStart..]) + 1}";
        return text.Contains((byte)'\n') ? $"line {before.Count((byte)'\n') + 1}, {column}" : column;
    }

    private static string? OtherEncoding(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xFF, 0xFE, 0, 0, ..] or [0, 0, 0xFE, 0xFF, ..] => "UTF-32",
        [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] => "UTF-16",
        [0, not 0, ..] or [not 0, 0, ..] => "UTF-16 or binary",
        _ => null,
    };

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        int offset = 0;
        while (Rune.DecodeFromUtf8(bytes[offset..], out _, out int length) == OperationStatus.Done)
        {
            offset += length;
        }

        return offset;
    }
}
