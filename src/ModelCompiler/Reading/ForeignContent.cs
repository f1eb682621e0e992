namespace ModelCompiler.Reading;

/// <summary>Names content that takes the place of a file by mistake: pointers, archives and pages.</summary>
internal static class ForeignContent
{
    private static readonly (byte[] Start, string Problem)[] s_binary =
    [
        ("version https://git-lfs.github.com/spec/"u8.ToArray(), "is a Git LFS pointer, not the file itself; run git lfs pull"),
        ([0x1F, 0x8B], "is compressed with gzip; decompress it"),
        ("PK\u0003\u0004"u8.ToArray(), "is a zip archive; extract the file from it"),
        ([0x28, 0xB5, 0x2F, 0xFD], "is compressed with zstd; decompress it"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "is compressed with xz; decompress it"),
        ("BZh"u8.ToArray(), "is compressed with bzip2; decompress it"),
        ("PAR1"u8.ToArray(), "is a Parquet file; convert it"),
        ("ARROW1"u8.ToArray(), "is an Arrow file; convert it"),
    ];

    private static readonly byte[][] s_pages = ["<!doctype html"u8.ToArray(), "<html"u8.ToArray()];

    /// <summary>How long a start of a file is enough to know.</summary>
    public const int Needed = 64;

    /// <summary>What is wrong with a file that starts like this; null where nothing foreign is seen.</summary>
    public static string? Find(ReadOnlySpan<byte> start)
    {
        foreach ((byte[] mark, string problem) in s_binary)
        {
            if (start.StartsWith(mark))
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>The same where a page of a web server cannot be meant: data may be a page, JSON and weights are none.</summary>
    public static string? FindOrPage(ReadOnlySpan<byte> start) => Find(start) ?? (IsPage(start) ? "is an HTML page, not the file itself; download it again" : null);

    private static bool IsPage(ReadOnlySpan<byte> start)
    {
        ReadOnlySpan<byte> text = start.TrimStart(" \t\r\n\uFEFF"u8);
        foreach (byte[] mark in s_pages)
        {
            if (text.Length >= mark.Length && System.Text.Ascii.EqualsIgnoreCase(text[..mark.Length], mark))
            {
                return true;
            }
        }

        return false;
    }
}
