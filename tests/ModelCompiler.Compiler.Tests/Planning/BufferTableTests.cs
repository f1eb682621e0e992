using System.Text.Json;
using ModelCompiler.Compiler.Tests.Compiled;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Planning;

/// <summary>Tables of buffers as text.</summary>
public class BufferTableTests
{
    private const string Small = """
        buffer  shape     loss           head
        Input   [T, 64]   input -1..4    -
        Norm    [R, 1]*   saved 0..7     scratch 0..2
        Low     [T, 2r3]  scratch 1..12  in Norm
        """;

    public static TheoryData<int> Batches => Compiled.Batches.Numbers;

    [Fact]
    public void A_cell_says_where_a_buffer_lives_and_how_long()
    {
        BufferTable table = BufferTable.Read(Small);
        Assert.Equal(new FrameBuffer("Input", Dim.Tokens, 64, BufferKind.Input, -1, 4), table["loss"][0]);
        Assert.Equal(new FrameBuffer("Norm", Dim.Rows, 1, BufferKind.Saved, 0, 7, Statistic: true), table["loss"][1]);
        Assert.Equal(new FrameBuffer("Low", Dim.Tokens, new Dim(2, DimSymbol.Rank, 3), BufferKind.Scratch, 1, 12), table["loss"][2]);
        Assert.Equal(new FrameBuffer("Input", Dim.Tokens, 64, BufferKind.Absent, 0, 0), table["head"][0]);
        Assert.Equal(new FrameBuffer("Low", Dim.Tokens, new Dim(2, DimSymbol.Rank, 3), BufferKind.Scratch, 0, 2, Shares: 1), table["head"][2]);
    }

    [Fact]
    public void A_table_may_say_only_what_differs_from_another()
    {
        BufferTable table = BufferTable.Read(BufferTable.Read(Small), "buffer  shape  loss  head\nNorm  [R, 1]*  saved 0..9  scratch 0..3");
        Assert.Equal(9, table["loss"][1].Last);
        Assert.Equal(3, table["head"][2].Last);
        Assert.Equal(4, table["loss"][0].Last);
    }

    [Theory]
    [InlineData("saved 0..7", "saved 0")]
    [InlineData("saved 0..7", "kept 0..7")]
    [InlineData("saved 0..7", "saved 0..x")]
    [InlineData("saved 0..7  ", "")]
    [InlineData("[R, 1]*", "[R, one]")]
    public void What_is_no_cell_is_refused(string cell, string other) =>
        Assert.Throws<FormatException>(() => BufferTable.Read(Small.Replace(cell, other, StringComparison.Ordinal)));

    [Fact]
    public void Another_column_is_refused() => Assert.Throws<ArgumentException>(() => BufferTable.Read(Small)["tail"]);

    [Theory]
    [MemberData(nameof(Batches))]
    public void What_is_written_is_read_again(int batch)
    {
        foreach (ModelTables tables in Compiled.Batches.Get(batch).Specs.Select(ModelCompilation.Tables))
        {
            (string, FrameBuffer[])[][] variants = [.. tables.Variants.Select(v => new[] { ("none", v.None.Buffers), ("selective", v.Selective.Buffers), ("block", v.Recompute.Buffers) })];
            BufferTable highest = BufferTable.Read(BufferTable.Write(variants[^1]));
            AssertEqual(variants[^1], highest);
            foreach ((string, FrameBuffer[])[] frames in variants[..^1])
            {
                AssertEqual(frames, BufferTable.Read(highest, BufferTable.Write(frames, variants[^1])));
            }

            AssertEqual([("loss", tables.Loss.Buffers), ("head", tables.Head.Buffers)], BufferTable.Read(BufferTable.Write([("loss", tables.Loss.Buffers), ("head", tables.Head.Buffers)])));
        }
    }

    private static void AssertEqual((string Frame, FrameBuffer[] Buffers)[] frames, BufferTable table) =>
        Assert.All(frames, frame => Assert.Equal(JsonSerializer.Serialize(frame.Buffers), JsonSerializer.Serialize(table[frame.Frame])));
}
