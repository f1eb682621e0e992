using ModelCompiler.Files;

namespace ModelCompiler.Tests.Files;

public class AtomicFileTests
{
    [Fact]
    public void Replaces_the_file_and_leaves_nothing_else()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("a"), "old");

        AtomicFile.WriteText(folder.File("a"), "new é");

        Assert.Equal("new é", File.ReadAllText(folder.File("a")));
        Assert.Equal(7 - 1, new FileInfo(folder.File("a")).Length);
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_disk_that_fills_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder.File("a"), "old");

        var error = Assert.Throws<OutputException>(() => AtomicFile.Write(folder.File("a"), stream =>
        {
            stream.Write(new byte[100_000]);
            throw new IOException("No space left on device");
        }));

        Assert.Contains("No space left on device", error.Message);
        Assert.Contains(folder.File("a"), error.Message);
        Assert.Equal("old", File.ReadAllText(folder.File("a")));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_length_no_disk_has_is_refused_before_anything_is_written()
    {
        using var folder = new TemporaryFolder();
        bool asked = false;

        Assert.Throws<OutputException>(() => AtomicFile.Write(folder.File("a"), _ => asked = true, length: long.MaxValue));

        Assert.False(asked);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void Other_errors_pass_and_leave_nothing()
    {
        using var folder = new TemporaryFolder();

        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(folder.File("a"), _ => throw new InvalidOperationException()));

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        using var folder = new TemporaryFolder();
        string path = System.IO.Path.Combine(folder.Path, "absent", "a");

        var error = Assert.Throws<OutputException>(() => AtomicFile.WriteText(path, "x"));

        Assert.Contains(path, error.Message);
    }

    [Fact]
    public void The_content_is_on_the_disk_before_it_takes_the_targets_place()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a");
        File.WriteAllText(path, "old");
        var flushes = new List<(bool ToDisk, string Target)>();

        AtomicFile.Write(path, stream => stream.WriteByte((byte)'n'), 0, (temporary, options) => new WatchedStream(temporary, options, toDisk => flushes.Add((toDisk, File.ReadAllText(path)))));

        Assert.Equal((true, "old"), flushes.First(f => f.ToDisk));
        Assert.Equal("n", File.ReadAllText(path));
    }

    [Fact]
    public void A_disk_that_fills_at_the_flush_leaves_the_old_file_and_nothing_else()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("a");
        File.WriteAllText(path, "old");

        OutputException error = Assert.Throws<OutputException>(() => AtomicFile.Write(
            path, stream => stream.WriteByte(1), 0, (temporary, options) => new WatchedStream(temporary, options, static _ => throw new IOException("No space left on device"))));

        Assert.Contains("No space left on device", error.Message);
        Assert.Equal("old", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a\0b")]
    public void A_path_that_is_none_is_an_error_of_output(string path) =>
        Assert.Throws<OutputException>(() => AtomicFile.WriteText(path, "x"));

    [Fact]
    public void A_folder_in_the_targets_place_and_a_name_too_long_are_errors_of_output()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder.File("folder"));
        string name = new('x', 300);

        Assert.Contains("folder", Assert.Throws<OutputException>(() => AtomicFile.WriteText(folder.File("folder"), "x")).Message);
        Assert.Contains(name, Assert.Throws<OutputException>(() => AtomicFile.WriteText(folder.File(name), "x")).Message);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Theory]
    [InlineData('x', 250)]
    [InlineData('\u20ac', 80)]
    public void A_name_as_long_as_file_systems_allow_is_written(char letter, int count)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File(new string(letter, count));

        AtomicFile.WriteText(path, "x");

        Assert.Equal([path], Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void What_a_killed_process_left_of_the_same_target_is_removed()
    {
        using var folder = new TemporaryFolder();
        string guid = Guid.NewGuid().ToString("N");
        string[] left = [folder.File($".a.2147483647.{guid}.tmp"), folder.File($".b.2147483647.{guid}.tmp")];
        foreach (string file in left)
        {
            File.WriteAllText(file, "x");
        }

        AtomicFile.WriteText(folder.File("a"), "x");

        Assert.Equal([left[1], folder.File("a")], Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal));
    }

    private sealed class WatchedStream(string path, FileStreamOptions options, Action<bool> flushing) : FileStream(path, options)
    {
        public override void Flush(bool flushToDisk)
        {
            flushing(flushToDisk);
            base.Flush(flushToDisk);
        }
    }
}
