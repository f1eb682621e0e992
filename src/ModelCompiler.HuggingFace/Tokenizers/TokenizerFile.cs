using System.Text.Json;
using ModelCompiler.Reading;
using ModelCompiler.Tokenizers;

namespace ModelCompiler.HuggingFace.Tokenizers;

/// <summary>Reads a tokenizer's file with the error a user can act on.</summary>
internal static class TokenizerFile
{
    /// <exception cref="TokenizerException">The file cannot be read, or is not there but a pointer to it.</exception>
    public static byte[] ReadBytes(string path) => UserFile.ReadBytes(path, TokenizerException.In);

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="TokenizerException">The file cannot be read, or <paramref name="read"/> finds something else than it expects.</exception>
    public static T ReadJson<T>(string path, Func<JsonElement, T> read)
    {
        JsonValue value = UserFile.ReadJson(path, TokenizerException.In);
        try
        {
            return read(value.Element);
        }
        catch (Exception error) when (error is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new TokenizerException($"{path}: is not a valid {Path.GetFileName(path)}: {error.Message}", error);
        }
    }

    /// <summary>A text that must be there.</summary>
    /// <exception cref="InvalidOperationException">It is null or something else; <see cref="ReadJson"/> makes a reader's exception of it.</exception>
    public static string Text(JsonElement element) => element.GetString() ?? throw new InvalidOperationException("null stands where a text is needed");

    /// <summary>The beginning of a value, for messages.</summary>
    public static string Shorten(string text) => text.Length <= 60 ? text : text[..60] + "...";
}
