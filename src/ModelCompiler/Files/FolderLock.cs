namespace ModelCompiler.Files;

/// <summary>
/// The right to write a folder, which one run has at a time. The system keeps the lock on a file in it and gives it up when the process
/// is gone, whatever ended it; a second file names the holder. On file systems without locks the second file decides.
/// </summary>
public sealed class FolderLock : IDisposable
{
    /// <summary>Name of the file that is locked.</summary>
    internal const string LockName = ".modelcompiler.lock";

    /// <summary>Name of the file that says who holds the lock.</summary>
    internal const string HolderName = ".modelcompiler.holder";

    private readonly string _folder;
    private readonly bool _made;
    private readonly FileStream _file;
    private FolderHolder? _holder;
    private bool _disposed;

    private FolderLock(string folder, bool made, FileStream file) => (_folder, _made, _file) = (folder, made, file);

    /// <summary>Takes the lock of a folder, which is made if absent, and removes the temporary files that killed processes left in it.</summary>
    /// <param name="folder">The folder.</param>
    /// <exception cref="FolderInUseException">Another run has the lock.</exception>
    /// <exception cref="OutputException">The folder cannot be made or written.</exception>
    public static FolderLock Take(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        bool made = !Directory.Exists(folder);
        AtomicFile.CreateFolder(folder);
        string full = Path.GetFullPath(folder);
        var taken = new FolderLock(full, made, Open(folder, full));
        try
        {
            taken.Hold(folder);
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        TemporaryFile.RemoveAllAbandoned(full);
        return taken;
    }

    /// <summary>Whether a path leads to the locked folder or into it, also where names do not tell: a mount, a file system that ignores case.</summary>
    /// <param name="path">A folder.</param>
    public bool Covers(string path)
    {
        for (DirectoryInfo? folder = new(path); folder is not null; folder = folder.Parent)
        {
            if (FolderHolder.Read(HolderPath(folder.FullName)) == _holder)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Gives the lock up. A folder that was made for it and is still empty is removed.</summary>
    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        if (_holder is not null)
        {
            TemporaryFile.TryDelete(HolderPath(_folder));
        }

        if (OperatingSystem.IsWindows())
        {
            _file.Dispose();
            TemporaryFile.TryDelete(LockPath(_folder));
        }
        else
        {
            // While it is locked: afterwards the file may be another run's.
            TemporaryFile.TryDelete(LockPath(_folder));
            _file.Dispose();
        }

        if (_made)
        {
            RemoveIfEmpty(_folder);
        }
    }

    /// <summary>Whether the run that a holder's file names may still be going on.</summary>
    internal static bool IsHeld(FolderHolder holder) =>
        holder.Host != Environment.MachineName || ProcessIdentity.Runs(holder.Process, holder.Started);

    private static FileStream Open(string folder, string full)
    {
        while (true)
        {
            FileStream file;
            try
            {
                file = new FileStream(LockPath(full), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
            }
            catch (IOException error) when (IsLocked(error))
            {
                throw new FolderInUseException(folder, FolderHolder.Read(HolderPath(full))?.ToString() ?? "another process");
            }
            catch (Exception error) when (OutputException.IsCause(error))
            {
                throw new OutputException(folder, error);
            }

            // The former holder may have removed the file between our opening and locking it: then others would lock a new one.
            if (File.Exists(LockPath(full)))
            {
                return file;
            }

            file.Dispose();
        }
    }

    private void Hold(string folder)
    {
        string path = HolderPath(_folder);
        if (!LocksWork() && FolderHolder.Read(path) is { } other && IsHeld(other))
        {
            throw new FolderInUseException(folder, $"{other} (if that run is over, remove {path})");
        }

        _holder = FolderHolder.Own();
        AtomicFile.WriteText(path, _holder.Text());
    }

    /// <summary>Whether this file system refuses a second opening of the locked file: some, over a network, do not.</summary>
    private bool LocksWork()
    {
        try
        {
            new FileStream(LockPath(_folder), FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Windows says sharing violation (32); elsewhere the error of a lock that would block (EAGAIN: 11, or 35 on BSD and macOS).</summary>
    private static bool IsLocked(IOException error) => (error.HResult & 0xFFFF) is 32 or 11 or 35;

    private static void RemoveIfEmpty(string folder)
    {
        try
        {
            Directory.Delete(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It has the run's files.
        }
    }

    private static string LockPath(string folder) => Path.Combine(folder, LockName);

    private static string HolderPath(string folder) => Path.Combine(folder, HolderName);
}
