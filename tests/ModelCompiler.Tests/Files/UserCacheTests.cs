using ModelCompiler.Files;

namespace ModelCompiler.Tests.Files;

public class UserCacheTests
{
    [Theory]
    [InlineData(true, true, "cache")]
    [InlineData(false, true, "home")]
    [InlineData(true, false, "cache")]
    [InlineData(false, false, null)]
    public void The_folder_is_the_users_own_or_none(bool cacheIsPath, bool homeIsPath, string? expected)
    {
        string Path(string name, bool full) => full ? System.IO.Path.Combine(AppContext.BaseDirectory, name) : name;
        Assert.Equal(
            expected is null ? null : System.IO.Path.Combine(AppContext.BaseDirectory, expected, "modelcompiler", "x"),
            UserCache.Folder("x", Path("cache", cacheIsPath), Path("home", homeIsPath)));
    }

    [Fact]
    public void An_empty_or_unset_variable_names_no_folder()
    {
        Assert.Null(UserCache.Folder("x", null, null));
        Assert.Null(UserCache.Folder("x", "", null));
    }
}
