using System.Diagnostics;
using System.Globalization;
using ModelCompiler.Files;

namespace ModelCompiler.Tests.Files;

public class FolderLockTests
{
    [Fact]
    public void A_folder_has_one_run_at_a_time_and_the_refusal_names_it()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        using (FolderLock.Take(output))
        {
            FolderInUseException error = Assert.Throws<FolderInUseException>(() => FolderLock.Take(Path.Combine(output, "..", "out")));
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"in use by process {Environment.ProcessId} since {DateTime.Now:yyyy-MM-dd}"), error.Message);
        }

        FolderLock.Take(output).Dispose();
    }

    [Fact]
    public void A_link_to_the_folder_is_the_folder()
    {
        using var folder = new TemporaryFolder();
        string output = Directory.CreateDirectory(folder.File("out")).FullName;
        string link = Directory.CreateSymbolicLink(folder.File("link"), output).FullName;
        using FolderLock taken = FolderLock.Take(output);
        Assert.Throws<FolderInUseException>(() => FolderLock.Take(link));
    }

    [Fact]
    public void Only_the_runs_files_stay_and_a_folder_made_for_nothing_does_not()
    {
        using var folder = new TemporaryFolder();
        string output = folder.File("out");
        FolderLock.Take(output).Dispose();
        Assert.False(Directory.Exists(output));

        using (FolderLock.Take(output))
        {
            AtomicFile.WriteText(Path.Combine(output, "a"), "x");
        }

        Assert.Equal([Path.Combine(output, "a")], Directory.GetFileSystemEntries(output));

        string own = Directory.CreateDirectory(folder.File("own")).FullName;
        FolderLock.Take(own).Dispose();
        Assert.True(Directory.Exists(own));
    }

    [Fact]
    public void What_a_killed_run_left_locks_nothing()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File(FolderLock.LockName), "");
        File.WriteAllText(folder.File(FolderLock.HolderName), FolderHolder.Own().Text());
        FolderLock.Take(folder.Path).Dispose();
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Without_locks_of_the_file_system_the_process_and_its_start_decide()
    {
        FolderHolder own = FolderHolder.Own();
        Assert.True(FolderLock.IsHeld(own));
        Assert.False(FolderLock.IsHeld(own with { Started = own.Started.AddMinutes(-1) }), "the number was given to another process");
        Assert.False(FolderLock.IsHeld(own with { Process = GoneProcess() }));
        Assert.True(FolderLock.IsHeld(own with { Process = GoneProcess(), Host = "elsewhere" }), "nothing is known of other machines");
    }

    [Fact]
    public void A_holder_is_read_as_it_was_written_and_damage_is_nobody()
    {
        using var folder = new TemporaryFolder();
        var holder = new FolderHolder(123, new DateTime(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc), new DateTime(2026, 1, 2, 3, 5, 0, DateTimeKind.Utc), "a-host");
        File.WriteAllText(folder.File("holder"), holder.Text());
        Assert.Equal(holder, FolderHolder.Read(folder.File("holder")));
        Assert.Contains("process 123 since 2026-01-02", holder.ToString(), StringComparison.Ordinal);
        Assert.EndsWith(" on a-host", holder.ToString(), StringComparison.Ordinal);
        File.WriteAllText(folder.File("holder"), "123\n");
        Assert.Null(FolderHolder.Read(folder.File("holder")));
        Assert.Null(FolderHolder.Read(folder.File("absent")));
    }

    [Fact]
    public void A_folder_that_cannot_be_is_an_error_of_output()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("file"), "x");
        foreach (string path in new[] { folder.File("file"), folder.File("file/below"), "", "a\0b", folder.File(new string('x', 300)) })
        {
            Assert.Contains("cannot write", Assert.Throws<OutputException>(() => FolderLock.Take(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Temporary_files_of_processes_that_are_gone_are_removed_and_no_others()
    {
        using var folder = new TemporaryFolder();
        string guid = Guid.NewGuid().ToString("N");
        string gone = GoneProcess().ToString(CultureInfo.InvariantCulture);
        string[] abandoned = [$".checkpoint.safetensors.{gone}.{guid}.tmp", $".a.b.c.{gone}.{guid}.tmp", $".x.{Environment.ProcessId}.{guid}.tmp"];
        string[] others = ["checkpoint.safetensors", $".own.{Environment.ProcessId}.{guid}.tmp", $".name.{gone}.tmp", $"x.{gone}.{guid}.tmp", ".notes.tmp", $".x.99999999999.{guid}.tmp"];
        foreach (string name in abandoned.Concat(others))
        {
            File.WriteAllText(folder.File(name), "x");
        }

        // Of the number of this process, but written before it started.
        File.SetLastWriteTimeUtc(folder.File(abandoned[2]), DateTime.UtcNow.AddDays(-100));
        FolderLock.Take(folder.Path).Dispose();
        Assert.Equal(others.Order(StringComparer.Ordinal), Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
    }

    /// <summary>The number of a process that has ended.</summary>
    private static int GoneProcess()
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["--version"]) { RedirectStandardOutput = true })!;
        process.WaitForExit();
        return process.Id;
    }
}
