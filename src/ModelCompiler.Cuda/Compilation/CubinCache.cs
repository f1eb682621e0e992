using System.Security.Cryptography;
using System.Text;
using ModelCompiler.Files;

namespace ModelCompiler.Cuda.Compilation;

/// <summary>
/// Compiled kernels on disk, each under the hash of everything that it was made of. An entry is written whole or not at all and carries the
/// hash of its key and content, so that one that was damaged, or is another's under this name, is not loaded but made again.
/// </summary>
public sealed class CubinCache
{
    private static readonly byte[] Magic = "MCCUBIN2"u8.ToArray();
    private readonly string? _folder;

    /// <summary>A cache in a folder, which is made when there is something to keep; null: nothing is kept.</summary>
    public CubinCache(string? folder) => _folder = folder;

    /// <summary>
    /// The folder for the present user: modelcompiler/cubins in the user's cache folder. Null where the user has none: in a place that
    /// others can write, they would choose the code that the GPU runs.
    /// </summary>
    public static string? DefaultFolder => UserCache.Folder("cubins");

    /// <summary>The key of a compilation: a hash of the source, its headers, the options (the architecture is one) and the compiler's version.</summary>
    internal static string Key(KernelSource source, IEnumerable<string> options, int compilerMajor, int compilerMinor)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        // The length comes before each part, so that no two lists of parts are one text.
        void Append(string part)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }

        Append($"NVRTC {compilerMajor}.{compilerMinor}");
        Append(source.Name);
        Append(source.Text);
        foreach (KernelHeader header in source.Headers)
        {
            Append(header.Name);
            Append(header.Text);
        }

        foreach (string option in options)
        {
            Append(option);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The cubin under a key; null where there is none or the entry is damaged.</summary>
    internal byte[]? Find(string key)
    {
        if (_folder is null || !PrivateFolder.Is(_folder))
        {
            return null;
        }

        byte[] entry;
        try
        {
            entry = File.ReadAllBytes(PathOf(_folder, key));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        int content = Magic.Length + SHA256.HashSizeInBytes;
        return entry.Length > content
            && entry.AsSpan(0, Magic.Length).SequenceEqual(Magic)
            && entry.AsSpan(Magic.Length, SHA256.HashSizeInBytes).SequenceEqual(Hash(key, entry.AsSpan(content)))
            ? entry[content..]
            : null;
    }

    /// <summary>Keeps a cubin. Where the folder cannot be written it is compiled again next time, which is slower and nothing worse.</summary>
    internal void Keep(string key, byte[] cubin)
    {
        if (_folder is null)
        {
            return;
        }

        try
        {
            PrivateFolder.Create(_folder);
            if (!PrivateFolder.Is(_folder))
            {
                return;
            }

            AtomicFile.WriteBytes(PathOf(_folder, key), [.. Magic, .. Hash(key, cubin), .. cubin]);
        }
        catch (OutputException)
        {
        }
    }

    private static byte[] Hash(string key, ReadOnlySpan<byte> cubin)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(key));
        hash.AppendData(cubin);
        return hash.GetHashAndReset();
    }

    private static string PathOf(string folder, string key) => Path.Combine(folder, key + ".cubin");
}
