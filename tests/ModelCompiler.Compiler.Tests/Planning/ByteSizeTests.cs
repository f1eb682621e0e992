using System.Globalization;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Planning;

public class ByteSizeTests
{
    [Theory]
    [InlineData("4 GiB", 4_294_967_296)]
    [InlineData("24GB", 24_000_000_000)]
    [InlineData(" 900 MiB ", 943_718_400)]
    [InlineData("1.5 KiB", 1_536)]
    [InlineData("0.5kb", 500)]
    [InlineData("2 TiB", 2_199_023_255_552)]
    [InlineData("1 TB", 1_000_000_000_000)]
    [InlineData("123", 123)]
    [InlineData("7 B", 7)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void Reads_binary_and_decimal_units(string text, long bytes)
    {
        Assert.True(ByteSize.TryParse(text, out long read));
        Assert.Equal(bytes, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("GiB")]
    [InlineData("four GiB")]
    [InlineData("4 GiB of it")]
    [InlineData("4,5 GiB")]
    [InlineData("-4 GiB")]
    [InlineData("0 GiB")]
    [InlineData("0.4 B")]
    [InlineData("1e3")]
    [InlineData("4 Gi")]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999 TiB")]
    [InlineData("99999999999999999999999999999999 GiB")]
    public void Refuses_what_is_not_a_size(string? text)
    {
        Assert.False(ByteSize.TryParse(text, out long bytes));
        Assert.Equal(0, bytes);
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1_023, "1023 B")]
    [InlineData(1_024, "1.00 KiB")]
    [InlineData(3_489_660_928, "3.25 GiB")]
    [InlineData(1L << 41, "2.00 TiB")]
    public void Writes_the_largest_unit_it_reaches(long bytes, string text) => Assert.Equal(text, ByteSize.Format(bytes));

    [Fact]
    public void Does_not_follow_the_culture()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = comma;
            Assert.True(ByteSize.TryParse("1.5 KiB", out long bytes));
            Assert.Equal("1.50 KiB", ByteSize.Format(bytes));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
