using System.Diagnostics;
using ModelCompiler.Tests.Files;

namespace ModelCompiler.Tests.Mutations;

/// <summary>Runs a reader over damaged files.</summary>
internal static class MutationRun
{
    private const int Seed = 14;
    private const int MostReported = 8;
    private const long MostAllocated = 64L << 20;
    private const double MostSeconds = 2;
    private const double HangSeconds = 60;

    /// <summary>What went wrong: each line has the reader, the seed and the number of the case.</summary>
    public static List<string> Run(MutatedReader reader, int cases)
    {
        var failures = new List<string>();
        int current = -1;
        var worker = new Thread(() =>
        {
            using var folder = new TemporaryFolder();
            Action read = reader.Prepare(folder);
            byte[][] right = [.. reader.Files.Select(f => File.ReadAllBytes(folder.File(f)))];
            for (int i = 0; i < cases && failures.Count < MostReported; i++)
            {
                Volatile.Write(ref current, i);
                for (int f = 0; f < right.Length; f++)
                {
                    File.WriteAllBytes(folder.File(reader.Files[f]), right[f]);
                }

                var random = new Random(unchecked((int)Hash(reader.Name) + 31 * Seed + 1_000_003 * i));
                int file = random.Next(right.Length);
                byte[] damaged = Mutator.Mutate(right[file], random);
                string path = folder.File(reader.Files[file]);
                if (Try(reader, read, path, damaged) is { } problem)
                {
                    failures.Add($"{reader.Name}, seed {Seed}, case {i}, {reader.Files[file]}: {problem}");
                }
            }
        }, maxStackSize: 1 << 20);
        worker.IsBackground = true;
        worker.Start();
        for (int seen = -2; !worker.Join(TimeSpan.FromSeconds(HangSeconds)); seen = Volatile.Read(ref current))
        {
            if (seen == Volatile.Read(ref current))
            {
                return [.. failures, $"{reader.Name}, seed {Seed}, case {seen}: has not ended after {HangSeconds} s"];
            }
        }

        return failures;
    }

    /// <summary>Reads; a slow case is read again, since the machine may have been busy.</summary>
    private static string? Try(MutatedReader reader, Action read, string path, byte[] damaged)
    {
        double seconds = double.MaxValue;
        for (int attempt = 0; attempt < 4 && seconds > MostSeconds; attempt++)
        {
            File.WriteAllBytes(path, damaged);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            long started = Stopwatch.GetTimestamp();
            try
            {
                read();
            }
            catch (Exception error) when (reader.Allowed.Contains(error.GetType()))
            {
                if (error.Message.Length == 0)
                {
                    return $"{error.GetType().Name} without a message";
                }
            }
            catch (Exception error)
            {
                return error.ToString().ReplaceLineEndings(" ");
            }

            seconds = Math.Min(seconds, Stopwatch.GetElapsedTime(started).TotalSeconds);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (allocated > MostAllocated && damaged.Length < 1 << 20)
            {
                return $"{allocated} bytes allocated for a file of {damaged.Length}";
            }
        }

        return seconds > MostSeconds ? FormattableString.Invariant($"took {seconds:0.0} s") : null;
    }

    /// <summary>FNV-1a: the same in every process.</summary>
    private static uint Hash(string text)
    {
        uint hash = 2166136261;
        foreach (char c in text)
        {
            hash = unchecked((hash ^ c) * 16777619);
        }

        return hash;
    }
}
