using System.Text;

namespace ModelCompiler.Reading;

/// <summary>Reads whole files that users give. Whatever is wrong becomes the reader's own exception with the file's name.</summary>
internal static class UserFile
{
    /// <summary>Reads a binary file.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read, is empty, or holds something foreign.</exception>
    public static byte[] ReadBytes(string path, ReadFailure failure)
    {
        if (Directory.Exists(path))
        {
            throw failure(path, "cannot be read: it is a folder, not a file");
        }

        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw failure(path, "cannot be read: there is no such file", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw failure(path, $"cannot be read: {error.Message}", error);
        }

        return ForeignContent.Find(bytes) is { } problem ? throw failure(path, problem) : bytes;
    }

    /// <summary>Reads a text.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read, is no UTF-8, or holds something foreign.</exception>
    public static string ReadText(string path, ReadFailure failure) =>
        Encoding.UTF8.GetString(Utf8Text.Check(ReadBytes(path, failure), path, failure).Span);

    /// <summary>Reads a JSON file.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read or is no JSON.</exception>
    public static JsonValue ReadJson(string path, ReadFailure failure)
    {
        byte[] bytes = ReadBytes(path, failure);
        return ForeignContent.FindOrPage(bytes) is { } problem ? throw failure(path, problem) : JsonText.Parse(bytes, path, failure);
    }

    /// <summary>Reads a JSON file that holds one object.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read or is no JSON object.</exception>
    public static JsonValue ReadObject(string path, ReadFailure failure) => ReadJson(path, failure).RequireObject();
}
