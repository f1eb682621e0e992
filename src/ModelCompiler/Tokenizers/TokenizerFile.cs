namespace ModelCompiler.Tokenizers;

/// <summary>Reads a tokenizer's file with the error a user can act on.</summary>
internal static class TokenizerFile
{
    /// <exception cref="TokenizerException">The file cannot be read.</exception>
    public static byte[] ReadBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: cannot be read: {error.Message}", error);
        }
    }
}
