using System.Runtime.CompilerServices;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>The addresses of a matrix's rows; null rows where there is no matrix.</summary>
internal readonly unsafe struct FloatRows(float* first, int stride)
{
    private readonly float* first = first;
    private readonly nint stride = stride;

    public bool IsNone => first == null;

    public float* this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => first == null ? null : first + row * stride;
    }
}
