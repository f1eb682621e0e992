using ModelCompiler.Files;

namespace ModelCompiler.Tests.Files;

public class FolderPathsTests
{
    [Theory]
    [InlineData("a", "a", true)]
    [InlineData("a", "a/", true)]
    [InlineData("a/", "a", true)]
    [InlineData("a", "./a", true)]
    [InlineData("a", "b/../a", true)]
    [InlineData("a", "a/b/c", true)]
    [InlineData("a", "ab", false)]
    [InlineData("a/b", "a", false)]
    [InlineData("a", "b", false)]
    [InlineData(".", "a", true)]
    [InlineData("/", "a", true)]
    public void A_folder_is_or_holds_another(string folder, string other, bool expected) => Assert.Equal(expected, FolderPaths.IsOrHolds(folder, other));

    [Theory]
    [InlineData("a", "a/b", "b")]
    [InlineData("a/", "x/../a/b/c", "b/c")]
    [InlineData("a", "b/c", null)]
    public void The_path_inside_a_folder(string folder, string file, string? expected) =>
        Assert.Equal(expected?.Replace('/', Path.DirectorySeparatorChar), FolderPaths.PathInside(folder, file));

    [Fact]
    public void Symbolic_links_are_followed_wherever_they_stand_on_the_path()
    {
        using var folder = new TemporaryFolder();
        string real = Directory.CreateDirectory(folder.File("real/deep")).FullName;
        Directory.CreateSymbolicLink(folder.File("link"), folder.File("real"));
        Directory.CreateSymbolicLink(folder.File("second"), folder.File("link"));
        Assert.True(FolderPaths.IsOrHolds(folder.File("link/deep"), real));
        Assert.True(FolderPaths.IsOrHolds(folder.File("second"), real));
        Assert.True(FolderPaths.IsOrHolds(real, folder.File("second/deep/not-there-yet")));
        Assert.False(FolderPaths.IsOrHolds(folder.File("second/other"), real));
    }

    [Fact]
    public void A_circle_of_links_is_no_endless_way()
    {
        using var folder = new TemporaryFolder();
        Directory.CreateSymbolicLink(folder.File("a"), folder.File("b"));
        Directory.CreateSymbolicLink(folder.File("b"), folder.File("a"));
        Assert.False(FolderPaths.IsOrHolds(folder.File("a"), folder.Path));
    }

    [Fact]
    public void A_lock_covers_its_folder_and_what_is_in_it()
    {
        using var folder = new TemporaryFolder();
        string inner = Directory.CreateDirectory(folder.File("out/inner")).FullName;
        using FolderLock taken = FolderLock.Take(folder.File("out"));
        Assert.True(taken.Covers(folder.File("out")));
        Assert.True(taken.Covers(inner));
        Assert.False(taken.Covers(folder.Path));
    }
}
