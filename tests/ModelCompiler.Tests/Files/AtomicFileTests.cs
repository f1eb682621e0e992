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
}
