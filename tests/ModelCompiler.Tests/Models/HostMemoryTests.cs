using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using ModelCompiler.Testing.Null;

namespace ModelCompiler.Tests.Models;

/// <summary>What is free, by files of Linux that tests make up, and plans that are compared with it.</summary>
public class HostMemoryTests
{
    private const string Machine = "MemTotal:       16000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n";
    private const long Available = 8_000_000L * 1024;

    private static FreeMemory? Free(params (string Path, string Text)[] files) =>
        HostMemory.Free(path => files.Where(f => f.Path == path).Select(f => f.Text).FirstOrDefault());

    [Fact]
    public void Without_a_container_it_is_the_machines()
    {
        Assert.Equal(new FreeMemory(Available, "this machine's memory"), Free(("/proc/meminfo", Machine)));
        Assert.Equal(Available, Free(("/proc/meminfo", Machine), ("/proc/self/cgroup", "0::/\n"))!.Value.Bytes);
        Assert.Null(Free());
        Assert.Null(Free(("/proc/meminfo", "MemAvailable: lots\n")));
    }

    [Theory]
    [InlineData("2000000000", "500000000", "0", 1_500_000_000)]
    [InlineData("2000000000\n", "500000000\n", "300000000", 1_800_000_000)]
    [InlineData("2000000000", null, null, 2_000_000_000)]
    [InlineData("2000000000", "9000000000", "0", 0)]
    [InlineData("2000000000", "100", "900", 2_000_000_000)]
    [InlineData("2000000000", "garbage", "garbage", 2_000_000_000)]
    [InlineData("0", "0", "0", 0)]
    [InlineData("max", "500000000", "0", Available)]
    [InlineData("", "500000000", "0", Available)]
    [InlineData("-1", "500000000", "0", Available)]
    [InlineData("1e9", "0", "0", Available)]
    [InlineData("garbage", "0", "0", Available)]
    [InlineData("9223372036854771712", "0", "0", Available)]
    [InlineData("99999999999999999999999999", "0", "0", Available)]
    [InlineData("20000000000", "0", "0", Available)]
    public void A_limit_of_the_container_counts_where_it_is_one(string limit, string? used, string? cached, long expected)
    {
        foreach (bool second in (bool[])[true, false])
        {
            string folder = second ? "/sys/fs/cgroup/user/job/" : "/sys/fs/cgroup/memory/user/job/";
            List<(string, string)> files =
            [
                ("/proc/meminfo", Machine),
                ("/proc/self/cgroup", second ? "0::/user/job\n" : "12:cpu,cpuacct:/other\n3:memory:/user/job\n"),
                (folder + (second ? "memory.max" : "memory.limit_in_bytes"), limit),
            ];
            if (used is not null)
            {
                files.Add((folder + (second ? "memory.current" : "memory.usage_in_bytes"), used));
                files.Add((folder + "memory.stat", $"anon 5\n{(second ? "inactive_file" : "total_inactive_file")} {cached}\n"));
            }

            Assert.Equal(expected, Free([.. files])!.Value.Bytes);
        }
    }

    [Fact]
    public void The_least_of_a_group_and_those_around_it_counts()
    {
        (string, string)[] files =
        [
            ("/proc/meminfo", Machine), ("/proc/self/cgroup", "0::/a/b/c\n"), ("/sys/fs/cgroup/a/b/c/memory.max", "max"),
            ("/sys/fs/cgroup/a/b/memory.max", "3000000000"), ("/sys/fs/cgroup/a/memory.max", "2500000000"), ("/sys/fs/cgroup/a/memory.current", "1000000000"),
        ];
        Assert.Equal(1_500_000_000, Free(files)!.Value.Bytes);
        Assert.Contains("container", Free(files)!.Value.Of, StringComparison.Ordinal);

        // A container's path is often the host's; its own files lie at the top.
        Assert.Equal(700_000_000, Free(("/proc/meminfo", Machine), ("/proc/self/cgroup", "0::/docker/0123\n"), ("/sys/fs/cgroup/memory.max", "700000000"))!.Value.Bytes);
        Assert.Equal(700_000_000, Free(("/proc/meminfo", Machine), ("/proc/self/cgroup", "0::/../../x\n"), ("/sys/fs/cgroup/memory.max", "700000000"))!.Value.Bytes);
        Assert.Equal(Available, Free(("/proc/meminfo", Machine), ("/proc/self/cgroup", "garbage\n::\n1:memory\n:::\n0::\n"))!.Value.Bytes);
    }

    [Fact]
    public void This_machine_has_some() => Assert.InRange(HostMemory.Free().Bytes, 1L << 20, 1L << 50);

    [Fact]
    public void A_plan_beyond_what_is_free_is_refused_with_both_figures()
    {
        var plan = new TrainingPlan { Batch = 4, Sequence = 128 };
        long arena = MemoryPlanner.Train(Stories260K_Lora.Tables, plan, BackendProfile.Null).Cost.Allocated;
        using (Stories260K_Lora fits = Stories260K_Lora.ForTraining(plan, new NullBackend { FreeMemory = new FreeMemory(arena, "a test") }))
        {
            Assert.Equal(arena, fits.Backend.AllocatedBytes);
        }

        var backend = new NullBackend { FreeMemory = new FreeMemory(arena - 1, "a test") };
        var error = Assert.Throws<MemoryShortageException>(() => Stories260K_Lora.ForTraining(plan, backend));
        Assert.Equal((arena, arena - 1, 0), (error.Needed, error.Free, backend.AllocatedBytes));
        Assert.Contains(ByteSize.Format(arena), error.Message, StringComparison.Ordinal);
        Assert.Contains(ByteSize.Format(arena - 1) + " of a test are free", error.Message, StringComparison.Ordinal);
        Assert.Throws<MemoryShortageException>(() => Model.ForGeneration<Stories260K_Lora>(512, 1, new NullBackend { FreeMemory = new FreeMemory(1000, "a test") }));
    }
}
