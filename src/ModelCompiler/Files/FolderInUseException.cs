namespace ModelCompiler.Files;

/// <summary>A folder cannot be written because a run, of this process or another, is writing it.</summary>
public sealed class FolderInUseException : ModelCompilerException
{
    internal FolderInUseException(string folder, string holder)
        : base($"folder '{folder}' is in use by {holder}; wait until that run ends or name another folder")
    {
    }
}
