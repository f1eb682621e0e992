using System.Globalization;

namespace ModelCompiler.Tensors;

/// <summary>Memory that a run may still take.</summary>
/// <param name="Bytes">How much.</param>
/// <param name="Of">Of what, in words.</param>
public readonly record struct FreeMemory(long Bytes, string Of);

/// <summary>Memory of the machine that is free, or of the container that the process is kept in where that has less.</summary>
public static class HostMemory
{
    private const string Machine = "this machine's memory";

    /// <summary>A limit from here on is none: version 1 writes the greatest number of pages for it.</summary>
    private const long Unlimited = 1L << 60;

    /// <summary>What is free now.</summary>
    public static FreeMemory Free() => (OperatingSystem.IsLinux() ? Free(Read) : null) ?? OfRuntime();

    /// <summary>What is free by the files of Linux; null where they do not say.</summary>
    /// <param name="read">The text of a file; null where there is none.</param>
    internal static FreeMemory? Free(Func<string, string?> read)
    {
        FreeMemory? least = Field(read("/proc/meminfo"), "MemAvailable:") is { } kilobytes and < Unlimited / 1024 ? new FreeMemory(kilobytes * 1024, Machine) : null;
        foreach (string line in (read("/proc/self/cgroup") ?? "").Split('\n'))
        {
            // number:controllers:path, of version 2 without a number and controllers.
            string[] parts = line.Trim().Split(':', 3);
            if (parts.Length < 3)
            {
                continue;
            }

            FreeMemory? room = parts[1].Length == 0 ? Group(read, "/sys/fs/cgroup", parts[2], "memory.max", "memory.current", "inactive_file")
                : parts[1].Split(',').Contains("memory") ? Group(read, "/sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
                : null;
            least = room is { } found && (least is null || found.Bytes < least.Value.Bytes) ? found : least;
        }

        return least;
    }

    /// <summary>The least room of a control group and those that it is in. Of a container the path may be the host's, and only the last, empty one be there.</summary>
    private static FreeMemory? Group(Func<string, string?> read, string root, string path, string limitFile, string usageFile, string reclaimable)
    {
        FreeMemory? least = null;
        for (string group = path.TrimEnd('/'); ; group = group[..group.LastIndexOf('/')])
        {
            string folder = root + group + "/";
            if (Number(read(folder + limitFile)) is { } limit and < Unlimited)
            {
                long used = Number(read(folder + usageFile)) ?? 0;
                long cached = Field(read(folder + "memory.stat"), reclaimable) ?? 0;
                long room = Math.Clamp(limit - Math.Max(0, used - cached), 0, limit);
                least = least is null || room < least.Value.Bytes ? new FreeMemory(room, "the memory that this container may use") : least;
            }

            if (group.LastIndexOf('/') < 0)
            {
                return least;
            }
        }
    }

    /// <summary>What the runtime knows, on systems other than Linux: it looks at the machine when it collects.</summary>
    private static FreeMemory OfRuntime()
    {
        GC.Collect();
        GCMemoryInfo memory = GC.GetGCMemoryInfo();
        return new FreeMemory(Math.Max(0, memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes), Machine);
    }

    /// <summary>The number after a name at the start of a line.</summary>
    private static long? Field(string? text, string name)
    {
        string? line = text?.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal));
        return line is null ? null : Number(line[name.Length..].TrimStart().Split(' ', '\t')[0]);
    }

    /// <summary>A number; null of anything else, such as "max".</summary>
    private static long? Number(string? text) =>
        long.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : null;

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not there, or not for this user: then it says nothing.
            return null;
        }
    }
}
