using ModelCompiler.Data;

namespace ModelCompiler.Tests.Data;

public class DropLimitTests
{
    [Theory]
    [InlineData("5%", 100, 5)]
    [InlineData("5 %", 101, 6)]
    [InlineData("0.05", 2, 1)]
    [InlineData("12.5%", 8, 1)]
    [InlineData("100%", 7, 7)]
    [InlineData("0%", 1000, 0)]
    [InlineData("0.0", 1000, 0)]
    [InlineData("0", 1000, 0)]
    [InlineData("1", 1000, 1)]
    [InlineData("20", 10, 20)]
    public void Shares_are_rounded_up_and_numbers_are_numbers(string text, int rows, int most)
    {
        Assert.True(DropLimit.TryParse(text, out DropLimit limit));
        Assert.True(limit.Allows(most, rows));
        Assert.False(limit.Allows(most + 1, rows));
        Assert.Equal(most == 0, limit == DropLimit.None);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("%")]
    [InlineData("-1")]
    [InlineData("-5%")]
    [InlineData("101%")]
    [InlineData("1.5")]
    [InlineData("5,5%")]
    [InlineData("NaN")]
    [InlineData("NaN%")]
    [InlineData("all")]
    [InlineData("5%%")]
    [InlineData("99999999999")]
    public void Anything_else_is_refused(string? text) => Assert.False(DropLimit.TryParse(text, out _));

    [Fact]
    public void Limits_are_in_range_and_say_what_they_are()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => DropLimit.Share(1.01));
        Assert.Throws<ArgumentOutOfRangeException>(() => DropLimit.Share(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => DropLimit.Rows(-1));
        Assert.Equal("5 % of them", DropLimit.Default.ToString());
        Assert.Equal("12.5 % of them", DropLimit.Share(0.125).ToString());
        Assert.Equal("20", DropLimit.Rows(20).ToString());
    }
}
