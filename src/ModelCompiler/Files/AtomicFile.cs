using System.Text;

namespace ModelCompiler.Files;

/// <summary>
/// Writes a file whole or not at all: to a temporary file in the same folder, flushed to the disk, then renamed over the target.
/// </summary>
public static class AtomicFile
{
    private const int BufferSize = 1 << 16;

    /// <summary>Writes what <paramref name="write"/> puts into the stream.</summary>
    /// <param name="path">The target; replaced if it exists.</param>
    /// <param name="write">Writes the content; whatever it throws leaves the target as it was.</param>
    /// <param name="length">Bytes to come, reserved at once so that a full disk is noticed before the work; 0 where unknown.</param>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void Write(string path, Action<Stream> write, long length = 0) =>
        Write(path, write, length, static (temporary, options) => new FileStream(temporary, options));

    /// <summary>Writes text as UTF-8 without a byte order mark.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void WriteText(string path, string text) => WriteBytes(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Writes bytes.</summary>
    /// <exception cref="OutputException">The file cannot be written.</exception>
    public static void WriteBytes(string path, byte[] bytes) => Write(path, stream => stream.Write(bytes), bytes.Length);

    /// <summary>Makes a folder and those above it, where absent.</summary>
    /// <exception cref="OutputException">It cannot be made.</exception>
    public static void CreateFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (OutputException.IsCause(error) || error is ArgumentException)
        {
            throw new OutputException(path, error);
        }
    }

    /// <summary>Writes to a stream that the caller opens: a test watches what is done with it.</summary>
    internal static void Write(string path, Action<Stream> write, long length, Func<string, FileStreamOptions, FileStream> open)
    {
        ArgumentNullException.ThrowIfNull(write);
        string target = FullPath(path);
        string temporary = TemporaryFile.PathFor(target);
        TemporaryFile.RemoveAbandoned(target);
        try
        {
            try
            {
                var options = new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    BufferSize = BufferSize,
                    PreallocationSize = length,
                };
                using (FileStream stream = open(temporary, options))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(temporary, target, overwrite: true);
            }
            catch
            {
                TemporaryFile.TryDelete(temporary);
                throw;
            }
        }
        catch (Exception error) when (OutputException.IsCause(error))
        {
            throw new OutputException(path, error);
        }
    }

    private static string FullPath(string path)
    {
        try
        {
            return Path.GetFullPath(path);
        }
        catch (ArgumentException error)
        {
            throw new OutputException(path, error);
        }
    }
}
