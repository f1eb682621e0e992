using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends;

/// <summary>
/// Lets kernels that compute in Float32 work on saved values in bfloat16: what an operation reads is widened before it into a region of
/// the plan, what it writes is narrowed after it. Parameters and everything else pass as they are.
/// </summary>
[GenerateOperations(GeneratedCalls.Widen)]
internal sealed partial class WideningBackend(IBackend inner, Plan plan) : IBackend
{
    private const int MostOperands = 8;

    private readonly IBackend _inner = inner;
    private readonly Tensor[] _narrow = new Tensor[MostOperands];
    private readonly Tensor[] _wide = new Tensor[MostOperands];
    private readonly bool[] _read = new bool[MostOperands];
    private readonly bool[] _written = new bool[MostOperands];
    private int _count;
    private long _end;

    /// <summary>What a kernel reads, widened where it is an activation in 16 bits.</summary>
    private Tensor In(Tensor x)
    {
        if (!IsNarrow(x))
        {
            return x;
        }

        int i = Operand(x);
        if (!_read[i])
        {
            _inner.Copy(x, _wide[i]);
            _read[i] = true;
        }

        return _wide[i];
    }

    /// <summary>Where a kernel writes; <see cref="Narrow"/> brings it to its place.</summary>
    private Tensor Out(Tensor y)
    {
        if (!IsNarrow(y))
        {
            return y;
        }

        int i = Operand(y);
        _written[i] = true;
        return _wide[i];
    }

    /// <summary>Parameters lie below the activations.</summary>
    private bool IsNarrow(Tensor x) => x.Type == DType.BFloat16 && x.Offset >= plan.Activations.Offset;

    /// <summary>Index of an operand's Float32 copy. One buffer may come as several operands, read and written: it has one.</summary>
    private int Operand(Tensor x)
    {
        int found = Array.IndexOf(_narrow, x, 0, _count);
        if (found >= 0)
        {
            return found;
        }

        int stride = Profile.RowStride(x.Columns, Profile.Compute);
        _narrow[_count] = x;
        _wide[_count] = new Tensor(plan.Widening.Offset + _end, x.Rows, x.Columns, stride, Profile.Compute);
        (_read[_count], _written[_count]) = (false, false);
        _end += Profile.MatrixBytes(x.Rows, x.Columns, Profile.Compute);
        return _count++;
    }

    /// <summary>Ends an operation: what it wrote goes to its place.</summary>
    private void Narrow()
    {
        for (int i = 0; i < _count; i++)
        {
            if (_written[i])
            {
                _inner.Copy(_wide[i], _narrow[i]);
            }
        }

        (_count, _end) = (0, 0);
    }
}
