using ModelCompiler.Planning;
using ModelCompiler.Quantization;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <summary>A decoded piece, its codes and its factors are about as many bytes as this many Float32 matrices.</summary>
    private const int DecodingMatrices = 4;

    private readonly Dictionary<string, TorchTensor> _tables = [];

    /// <summary>Rows of a quantized weight (<see cref="StorageLayout"/>), as Float32, by the formulas of <see cref="Dequantization"/>.</summary>
    private TorchTensor Decode(Tensor w, int firstRow, int rows)
    {
        StorageLayout layout = StorageLayout.Of(w.Type, w.Rows, w.Columns);
        int size = w.Type.BlockSize();
        long first = (long)firstRow * w.Columns;
        long count = (long)rows * w.Columns;
        long firstBlock = first / size;
        long blocks = (first + count + size - 1) / size - firstBlock;
        long start = firstBlock * size;
        long elements = Math.Min((firstBlock + blocks) * size, (long)w.Rows * w.Columns) - start;
        TorchTensor values = w.Type.Kind() switch
        {
            DType.Int8 => Part(torch.ScalarType.Int8, w.Offset + start, elements).to_type(torch.ScalarType.Float32),
            _ => Pairs(w.Type.Kind()).index_select(0, Part(torch.ScalarType.Byte, w.Offset + start / 2, (elements + 1) / 2).to_type(torch.ScalarType.Int32))
                .view(-1).narrow(0, 0, elements),
        };
        TorchTensor factors = Factors(w, layout, firstBlock, blocks);
        if (w.Type.Kind() == DType.Int8)
        {
            factors = factors.div(Number(127));
        }

        if (layout.Zeros >= 0)
        {
            values.sub_(OfEach(Part(torch.ScalarType.Float32, w.Offset + layout.Zeros + firstBlock * sizeof(float), blocks), size, elements));
        }

        return values.mul_(OfEach(factors, size, elements)).narrow(0, first - start, count).view(rows, w.Columns);
    }

    /// <summary>A whole quantized weight, in the part of the workspace that a plan has for it.</summary>
    private TorchTensor Decode(Tensor w, QuantizedKernels kernels, DType type)
    {
        var decoded = new Tensor(_operand.Offset, w.Rows, w.Columns, w.Columns, type);
        if (decoded.End > _operand.Offset + _operand.Bytes)
        {
            throw new InvalidOperationException($"{w} decoded does not fit the {_operand.Bytes} bytes that the workspace has for it.");
        }

        TorchTensor values = View(decoded);
        kernels.Decode(w, QuantizedKernels.Address(View(w.Bytes)), QuantizedKernels.Address(Values(DynamicMap.Signed)), QuantizedKernels.Address(values), type);
        return values;
    }

    /// <summary>The factors of consecutive blocks: absmax or scale.</summary>
    private TorchTensor Factors(Tensor w, in StorageLayout layout, long firstBlock, long blocks)
    {
        if (!w.Type.IsNested())
        {
            return Part(torch.ScalarType.Float32, w.Offset + layout.Factors + firstBlock * sizeof(float), blocks);
        }

        long firstGroup = firstBlock / StorageLayout.NestedBlock;
        long groups = (firstBlock + blocks + StorageLayout.NestedBlock - 1) / StorageLayout.NestedBlock - firstGroup;
        TorchTensor codes = Part(torch.ScalarType.Byte, w.Offset + layout.Factors + firstBlock, blocks);
        TorchTensor nested = OfEach(
            Part(torch.ScalarType.Float32, w.Offset + layout.Nested + firstGroup * sizeof(float), groups), StorageLayout.NestedBlock, groups * StorageLayout.NestedBlock);
        TorchTensor mean = Part(torch.ScalarType.Float32, w.Offset + layout.Mean, 1);
        return Map(DynamicMap.Signed, codes).mul_(nested.narrow(0, firstBlock % StorageLayout.NestedBlock, blocks)).add_(mean, Number(1));
    }

    /// <summary>Each value as often as its block has elements, the last block cut.</summary>
    private static TorchTensor OfEach(TorchTensor values, long size, long elements) =>
        values.unsqueeze(1).expand(values.NumberOfElements, size).reshape(-1).narrow(0, 0, elements);

    /// <summary>The values of 8-bit indices into a map.</summary>
    private TorchTensor Map(DynamicMap map, TorchTensor codes) => Values(map).index_select(0, codes.reshape(-1).to_type(torch.ScalarType.Int32)).view(codes.shape);

    /// <summary>The 256 values of a map.</summary>
    private TorchTensor Values(DynamicMap map) => Table(map == DynamicMap.Signed ? "signed" : "unsigned", () => torch.tensor(map.Values.ToArray()));

    /// <summary>[256, 2]: the two elements that a byte of 4-bit codes holds, the one with the even index, in the high half, first.</summary>
    private TorchTensor Pairs(DType kind) => Table(kind.ToString(), () =>
    {
        float Value(int code) => WeightCodec.Of(kind).Values[code];
        return torch.tensor([.. Enumerable.Range(0, 256).SelectMany(both => (float[])[Value(both >> 4), Value(both & 15)])]).view(256, 2);
    });

    /// <summary>A constant that lives as long as the backend.</summary>
    private TorchTensor Table(string name, Func<TorchTensor> make)
    {
        if (!_tables.TryGetValue(name, out TorchTensor? table))
        {
            table = make().to(_device).DetachFromDisposeScope();
            _tables.Add(name, table);
        }

        return table;
    }

    /// <summary>Consecutive elements of one type from a byte of the arena on.</summary>
    private TorchTensor Part(torch.ScalarType type, long offset, long count)
    {
        TorchTensor typed = Typed(type);
        return typed.narrow(0, offset / typed.ElementSize, count);
    }
}
