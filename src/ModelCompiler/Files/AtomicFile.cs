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
    public static void Write(string path, Action<Stream> write, long length = 0)
    {
        ArgumentNullException.ThrowIfNull(write);
        string target = Path.GetFullPath(path);
        string temporary = Path.Combine(
            Path.GetDirectoryName(target) ?? target, $".{Path.GetFileName(target)}.{Environment.ProcessId}.{Guid.NewGuid():N}.tmp");
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
                using (var stream = new FileStream(temporary, options))
                {
                    write(stream);
                    stream.Flush(flushToDisk: true);
                }

                File.Move(temporary, target, overwrite: true);
            }
            catch
            {
                DeleteQuietly(temporary);
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new OutputException(path, error);
        }
    }

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
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(path, error);
        }
    }

    /// <summary>The error that stopped the writing is the one to report, not a second one from cleaning up.</summary>
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
        }
    }
}
