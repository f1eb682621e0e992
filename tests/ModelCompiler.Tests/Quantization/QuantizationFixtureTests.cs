using System.Runtime.InteropServices;
using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tests.Fixtures;

namespace ModelCompiler.Tests.Quantization;

/// <summary>Codes, factors and decoded values are those of an independent implementation in numpy, bit for bit (tests/Fixtures/quantization.py).</summary>
public class QuantizationFixtureTests
{
    private static readonly QuantizationFixture Fixture = FixtureFile.Read<QuantizationFixture>("quantization.json");

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Fixture.Cases.Count)];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Weights_become_the_same_bytes(int index)
    {
        QuantizationCase c = Fixture.Cases[index];
        StorageLayout layout = StorageLayout.Of(c.Type, c.Rows, c.Columns);
        byte[] packed = WeightQuantizer.Quantize(c.Type, c.Rows, c.Columns, MemoryMarshal.Cast<byte, float>(c.Values));
        Assert.Equal(layout.Bytes, packed.Length);
        Assert.Equal(c.Parts.Codes, packed[..(int)layout.CodeBytes]);
        AssertPart(c.Parts.Factors, packed, layout.Factors);
        AssertPart(c.Parts.Zeros, packed, layout.Zeros);
        AssertPart(c.Parts.Nested, packed, layout.Nested);
        AssertPart(c.Parts.Mean, packed, layout.Mean);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Bytes_are_read_as_the_same_values(int index)
    {
        QuantizationCase c = Fixture.Cases[index];
        byte[] packed = WeightQuantizer.Quantize(c.Type, c.Rows, c.Columns, MemoryMarshal.Cast<byte, float>(c.Values));
        var values = new float[c.Rows * c.Columns];
        Dequantization.Read(c.Type, c.Rows, c.Columns, packed, 0, values);
        Assert.Equal(MemoryMarshal.Cast<byte, float>(c.Decoded).ToArray(), values);
    }

    private static void AssertPart(byte[]? expected, byte[] packed, long offset)
    {
        Assert.Equal(expected is null, offset < 0);
        if (expected is not null)
        {
            Assert.Equal(expected, packed.AsSpan((int)offset, expected.Length).ToArray());
        }
    }

    internal sealed record QuantizationFixture(IReadOnlyList<QuantizationCase> Cases);

    internal sealed record QuantizationCase(
        string Kind, int BlockSize, bool Nested, int Rows, int Columns, byte[] Values, QuantizationParts Parts, byte[] Decoded)
    {
        public DType Type => DTypeExtensions.Quantized(Enum.Parse<DType>(Kind), BlockSize, Nested);
    }

    internal sealed record QuantizationParts(byte[] Codes, byte[] Factors, byte[]? Zeros = null, byte[]? Nested = null, byte[]? Mean = null);
}
