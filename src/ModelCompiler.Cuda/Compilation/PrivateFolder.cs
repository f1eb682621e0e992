using ModelCompiler.Files;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>A folder that nobody but its user can write, where the system has permissions of that kind.</summary>
internal static class PrivateFolder
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    /// <summary>Makes the folder, where absent, for its user alone.</summary>
    /// <exception cref="OutputException">It cannot be made.</exception>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            AtomicFile.CreateFolder(path);
            return;
        }

        try
        {
            Directory.CreateDirectory(path, Owner);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new OutputException(path, error);
        }
    }

    /// <summary>
    /// Whether the folder is the user's own and closed to others' writing. It is another's where its user may not set its mode: that is the owner's right alone,
    /// and the administrator's, for whom the system is asked who the owner is.
    /// </summary>
    public static bool Is(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return Directory.Exists(path);
        }

        try
        {
            UnixFileMode mode = File.GetUnixFileMode(path);
            if ((mode & Others) != 0 || new DirectoryInfo(path).LinkTarget is not null)
            {
                return false;
            }

            File.SetUnixFileMode(path, mode);
            return !OperatingSystem.IsLinux() || FileOwner.IsUser(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
