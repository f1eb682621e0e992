using System.Text;

namespace ModelCompiler.Reading;

/// <summary>Reads whole files that users give. Whatever is wrong becomes the reader's own exception with the file's name.</summary>
internal static class UserFile
{
    /// <summary>Reads a binary file.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read, is empty, or holds something foreign.</exception>
    public static byte[] ReadBytes(string path, ReadFailure failure)
    {
        byte[] bytes = Guard(path, failure, () => File.ReadAllBytes(path));
        return ForeignContent.Find(bytes) is { } problem ? throw failure(path, problem) : bytes;
    }

    /// <summary>Opens a file that is read piece by piece.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read.</exception>
    public static FileStream Open(string path, ReadFailure failure) => Guard(path, failure, () => File.OpenRead(path));

    /// <summary>Reads the next piece of an open file, all that is asked for unless the file ends.</summary>
    /// <returns>How many bytes there were.</returns>
    /// <exception cref="ModelCompilerException">It cannot be read.</exception>
    public static int Read(Stream stream, Memory<byte> buffer, string path, ReadFailure failure) =>
        Guard(path, failure, () => stream.ReadAtLeast(buffer.Span, buffer.Length, throwOnEndOfStream: false));

    /// <summary>The start of a file, by which <see cref="ForeignContent"/> knows what it is.</summary>
    /// <exception cref="ModelCompilerException">It cannot be read.</exception>
    public static byte[] ReadStart(string path, ReadFailure failure)
    {
        using FileStream stream = Open(path, failure);
        var start = new byte[ForeignContent.Needed];
        return start[..Read(stream, start, path, failure)];
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

    private static T Guard<T>(string path, ReadFailure failure, Func<T> read)
    {
        if (Directory.Exists(path))
        {
            throw failure(path, "cannot be read: it is a folder, not a file");
        }

        try
        {
            return read();
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw failure(path, "cannot be read: there is no such file", error);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw failure(path, $"cannot be read: {error.Message}", error);
        }
    }
}
