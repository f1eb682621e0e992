using ModelCompiler.CommandLine.Quickstart.Documentation;

namespace ModelCompiler.Cli.Tests.Quickstart;

public class MemberIdTests
{
    [Theory]
    [InlineData("T:System.Collections.Generic.Dictionary`2", "type Dictionary<T1, T2>")]
    [InlineData("T:System.Environment.SpecialFolder", "type SpecialFolder")]
    [InlineData("M:System.String.Substring(System.Int32,System.Int32)", "method String.Substring(Int32, Int32)")]
    [InlineData("M:System.IO.BinaryReader.ReadHalf", "method BinaryReader.ReadHalf()")]
    [InlineData("M:System.String.#ctor(System.Char[])", "constructor String(Char[])")]
    [InlineData("M:A.B`1.#ctor(`0,System.Boolean)", "constructor B<T>(T, Boolean)")]
    [InlineData("M:A.B.Create``1(System.Func{``0},``0[0:,0:])", "method B.Create<U>(Func<U>, U[,])")]
    [InlineData("M:A.B`2.Map``2(System.Func{`0,``1})", "method B<T1, T2>.Map<U1, U2>(Func<T1, U2>)")]
    [InlineData("M:System.Int32.TryParse(System.String,System.Int32@)", "method Int32.TryParse(String, ref Int32)")]
    [InlineData("M:A.B.Store(System.UInt32*,System.ValueTuple{A.V{System.UInt32},A.V{System.UInt32}})", "method B.Store(UInt32*, ValueTuple<V<UInt32>, V<UInt32>>)")]
    [InlineData("M:A.B.C(System.Collections.Generic.Dictionary{System.Int32,System.String}.Enumerator)", "method B.C(Dictionary<Int32, String>.Enumerator)")]
    [InlineData("M:A.SqlInt16.op_Implicit(A.SqlByte)~A.SqlInt16", "operator SqlInt16.Implicit(SqlByte) returns SqlInt16")]
    [InlineData("M:System.DateTimeOffset.System#Runtime#IDeserializationCallback#OnDeserialization(System.Object)", "method DateTimeOffset.IDeserializationCallback.OnDeserialization(Object)")]
    [InlineData("M:A.B.System#Collections#Generic#IDictionary{System#String@System#Int32}#Add", "method B.IDictionary<String, Int32>.Add()")]
    [InlineData("P:System.String.Length", "property String.Length")]
    [InlineData("P:System.String.Chars(System.Int32)", "indexer String.Chars(Int32)")]
    [InlineData("F:System.Int32.MaxValue", "field Int32.MaxValue")]
    [InlineData("E:System.AppDomain.ProcessExit", "event AppDomain.ProcessExit")]
    public void Signatures(string id, string expected)
    {
        Assert.Equal(expected, MemberId.Signature(id));
    }

    [Theory]
    [InlineData("T:System.Collections.Generic.List`1", "List")]
    [InlineData("M:System.String.Substring(System.Int32)", "Substring")]
    [InlineData("M:System.String.#ctor(System.Char[])", "String")]
    [InlineData("M:A.B.C``1(``0)", "C")]
    [InlineData("N:System.IO", "System.IO")]
    [InlineData("!:Nothing", "Nothing")]
    [InlineData("System.Int32", "Int32")]
    public void References(string id, string expected)
    {
        Assert.Equal(expected, MemberId.SimpleName(id));
    }

    [Fact]
    public void Overloads_are_one_group()
    {
        Assert.Equal(MemberId.Group("M:A.B`1.C(System.Int32)"), MemberId.Group("M:A.B`2.C``1(``0)~A.D"));
        Assert.NotEqual(MemberId.Group("M:A.B.C"), MemberId.Group("M:A.B.D"));
        Assert.Equal("A.Func", MemberId.Group("T:A.Func`17"));
    }

    [Fact]
    public void Anything_at_all_has_a_signature()
    {
        var random = new Random(5);
        const string letters = "AB.`01{}()[],@*#~|!^:";
        for (int round = 0; round < 20_000; round++)
        {
            string id = "MPFTE"[random.Next(5)] + ":" + string.Concat(Enumerable.Range(0, random.Next(1, 25)).Select(_ => letters[random.Next(letters.Length)]));

            Assert.NotEmpty(MemberId.Signature(id));
            Assert.NotNull(MemberId.SimpleName(id));
            Assert.NotNull(MemberId.Group(id));
        }
    }
}
