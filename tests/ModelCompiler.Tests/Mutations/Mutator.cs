using System.Text;

namespace ModelCompiler.Tests.Mutations;

/// <summary>Damages files as disks, editors and other programs do. The same random numbers make the same damage.</summary>
internal static class Mutator
{
    /// <summary>Headers and configurations stand at the start, so half of the damage goes there.</summary>
    private const int Start = 4096;

    private static readonly string[] s_numbers =
    [
        "0", "-1", "1.5", "-0.0", "1e999", "-1e999", "1e-999", "2147483647", "2147483648", "-2147483648", "1099511627776", "9223372036854775807",
        "9223372036854775808", "18446744073709551616", "16777216", "NaN", "Infinity", "00", "1_000",
    ];

    private static readonly string[] s_values = ["null", "true", "\"\"", "\"x\"", "[]", "{}", "[[]]", "[null]", "{\"a\":1}", "-1", "1e999", "NaN", "[1.5]", "\"\\u0000\""];

    private static readonly byte[][] s_texts =
    [
        "\\ud800"u8.ToArray(), "\\udc00\\ud800"u8.ToArray(), "\uFEFF"u8.ToArray(), [0xED, 0xA0, 0x80], [0xFF, 0xFE], [0xC0, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0], "\\u0000"u8.ToArray(),
        "\""u8.ToArray(), "\\"u8.ToArray(), "{"u8.ToArray(), "]"u8.ToArray(), ","u8.ToArray(), "\n"u8.ToArray(), "(a+)+$"u8.ToArray(), "\U0001F600"u8.ToArray(),
    ];

    /// <summary>One to four damages, one after the other.</summary>
    public static byte[] Mutate(byte[] content, Random random)
    {
        for (int count = random.Next(1, 5); count > 0; count--)
        {
            content = Once(content, random);
        }

        return content;
    }

    private static byte[] Once(byte[] content, Random random)
    {
        int at = Place(content, random);
        int length = Math.Min(random.Next(1, 1 << random.Next(1, 8)), content.Length - at);
        switch (random.Next(14))
        {
            case 0 when content.Length > 0:
                byte[] flipped = (byte[])content.Clone();
                flipped[Math.Min(at, content.Length - 1)] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1 when content.Length > 0:
                byte[] replaced = (byte[])content.Clone();
                replaced[Math.Min(at, content.Length - 1)] = (byte)random.Next(256);
                return replaced;
            case 2:
                return Replace(content, at, length, []);
            case 3:
                var noise = new byte[random.Next(1, 17)];
                random.NextBytes(noise);
                return Replace(content, at, 0, noise);
            case 4:
                return content[..at];
            case 5:
                return Replace(content, at, 0, content.AsSpan(at, length));
            case 6:
                return Replace(content, Place(content, random), 0, content.AsSpan(at, length));
            case 7 or 8:
                return Number(content, at, Encoding.ASCII.GetBytes(s_numbers[random.Next(s_numbers.Length)]));
            case 9:
                return SwapTexts(content, at, Place(content, random));
            case 10 or 11:
                return Value(content, at, Encoding.ASCII.GetBytes(s_values[random.Next(s_values.Length)]));
            case 12:
                return Replace(content, AfterQuote(content, at), 0, s_texts[random.Next(s_texts.Length)]);
            default:
                return Replace(content, at, 0, Encoding.ASCII.GetBytes(new string("[{\"1 \n"[random.Next(6)], random.Next(1, 200))));
        }
    }

    private static int Place(byte[] content, Random random) => random.Next(0, (random.Next(2) == 0 ? Math.Min(Start, content.Length) : content.Length) + 1);

    private static byte[] Replace(byte[] content, int at, int length, ReadOnlySpan<byte> by) => [.. content.AsSpan(0, at), .. by, .. content.AsSpan(at + length)];

    /// <summary>The next number of a text.</summary>
    private static byte[] Number(byte[] content, int at, byte[] by)
    {
        ReadOnlySpan<byte> digits = "0123456789"u8;
        int start = content.AsSpan(at).IndexOfAny(digits);
        if (start < 0)
        {
            return Replace(content, at, 0, by);
        }

        int length = content.AsSpan(at + start).IndexOfAnyExcept("0123456789.eE+-"u8);
        return Replace(content, at + start, length < 0 ? content.Length - at - start : length, by);
    }

    /// <summary>The next value of a JSON object, up to a comma or the end of a line, list or object.</summary>
    private static byte[] Value(byte[] content, int at, byte[] by)
    {
        int start = content.AsSpan(at).IndexOf((byte)':');
        if (start < 0)
        {
            return Replace(content, at, 0, by);
        }

        int first = at + start + 1;
        int length = content.AsSpan(first).IndexOfAny(",\n]}"u8);
        return Replace(content, first, length < 0 ? content.Length - first : length, by);
    }

    /// <summary>Keys and values in each other's place.</summary>
    private static byte[] SwapTexts(byte[] content, int one, int other)
    {
        (int Start, int Length) a = Quoted(content, Math.Min(one, other));
        (int Start, int Length) b = Quoted(content, Math.Max(a.Start + a.Length, Math.Max(one, other)));
        byte[] first = content.AsSpan(a.Start, a.Length).ToArray();
        byte[] second = content.AsSpan(b.Start, b.Length).ToArray();
        return Replace(Replace(content, b.Start, b.Length, first), a.Start, a.Length, second);
    }

    private static (int Start, int Length) Quoted(byte[] content, int at)
    {
        int start = content.AsSpan(at).IndexOf((byte)'"');
        int length = start < 0 ? -1 : content.AsSpan(at + start + 1).IndexOf((byte)'"');
        return length < 0 ? (at, 0) : (at + start, length + 2);
    }

    private static int AfterQuote(byte[] content, int at) => content.AsSpan(at).IndexOf((byte)'"') is >= 0 and int quote ? at + quote + 1 : at;
}
