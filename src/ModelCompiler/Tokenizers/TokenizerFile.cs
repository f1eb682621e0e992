using System.Text.Json;

namespace ModelCompiler.Tokenizers;

/// <summary>Reads a tokenizer's file with the error a user can act on.</summary>
internal static class TokenizerFile
{
    private static ReadOnlySpan<byte> LfsPointer => "version https://git-lfs.github.com/spec/"u8;

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <exception cref="TokenizerException">The file cannot be read, or is not there but a pointer to it.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            byte[] bytes = File.ReadAllBytes(path);
            return bytes.AsSpan().StartsWith(LfsPointer)
                ? throw new TokenizerException($"{path}: is a Git LFS pointer, not the file itself; run git lfs pull")
                : bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: cannot be read: {error.Message}", error);
        }
    }

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="TokenizerException">The file cannot be read, or <paramref name="read"/> finds something else than it expects.</exception>
    public static T ReadJson<T>(string path, Func<JsonElement, T> read)
    {
        ReadOnlyMemory<byte> bytes = ReadBytes(path);
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes.Span.StartsWith(ByteOrderMark) ? bytes[ByteOrderMark.Length..] : bytes);
            return read(document.RootElement);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new TokenizerException($"{path}: is not a valid {Path.GetFileName(path)}: {error.Message}", error);
        }
    }

    /// <summary>The beginning of a value, for messages.</summary>
    public static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
