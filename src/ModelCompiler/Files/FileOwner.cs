using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace ModelCompiler.Files;

/// <summary>Who owns a file, which .NET does not say. By statx, whose record is the same on every architecture of Linux.</summary>
[SupportedOSPlatform("linux")]
internal static partial class FileOwner
{
    private const int CurrentFolder = -100;
    private const int DoNotFollowLinks = 0x100;
    private const uint UserMask = 0x8;
    private const int RecordLength = 256;
    private const int UserOffset = 20;

    /// <summary>Whether a file is there and the user of this process owns it.</summary>
    public static bool IsUser(string path)
    {
        Span<byte> record = stackalloc byte[RecordLength];
        return StatX(CurrentFolder, path, DoNotFollowLinks, UserMask, ref MemoryMarshal.GetReference(record)) == 0
            && BinaryPrimitives.ReadUInt32LittleEndian(record[UserOffset..]) == User();
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte record);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint User();
}
