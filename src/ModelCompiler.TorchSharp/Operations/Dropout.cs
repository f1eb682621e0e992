using ModelCompiler.Backends;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    private const long LowHalf = 0xFFFFFFFF;

    /// <inheritdoc/>
    public void Dropout(Tensor x, Tensor y, float rate, ulong key, int firstRow = 0)
    {
        uint threshold = DropoutMask.Threshold(rate);
        foreach ((int first, int count) in InTurn(y.Rows, y.Columns, matrices: 4))
        {
            using Work work = Begin();
            TorchTensor dropped = MaskBits(key, firstRow + first, count, y.Columns).lt(Number(threshold));
            View(y.Slice(first, count)).copy_(ScratchOf(x.Slice(first, count)).div_(Number(1 - (double)rate)).masked_fill_(dropped, Number(0)));
        }
    }

    /// <summary><see cref="DropoutMask.Bits"/> of every element of some rows, in 64-bit integers, since torch has none of 32 bits without a sign.</summary>
    private TorchTensor MaskBits(ulong key, int firstRow, int rows, int columns)
    {
        ulong[] keys = [.. Enumerable.Range(firstRow, rows).Select(row => DropoutMask.RowKey(key, row))];
        TorchTensor low = torch.tensor([.. keys.Select(k => (long)(uint)k)], device: _device).unsqueeze(1);
        TorchTensor high = torch.tensor([.. keys.Select(k => (long)(k >> 32))], device: _device).unsqueeze(1);
        TorchTensor mask = torch.tensor(LowHalf, device: _device);
        TorchTensor h = torch.arange(Number(0L), Number((long)columns), Number(1L), dtype: torch.ScalarType.Int64, device: _device).add(low, Number(1)).bitwise_and_(mask);
        h = Folded(h, 16).mul_(Number(DropoutMask.FirstMultiplier)).bitwise_and_(mask).bitwise_xor_(high);
        return Folded(Folded(h, 15).mul_(Number(DropoutMask.SecondMultiplier)).bitwise_and_(mask), 16);
    }

    /// <summary>h ^ (h >> shift), in place.</summary>
    private TorchTensor Folded(TorchTensor h, long shift) => h.bitwise_xor_(h.bitwise_right_shift(torch.tensor(shift, device: _device)));
}
