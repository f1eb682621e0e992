using System.Runtime.CompilerServices;

namespace ModelCompiler.Backends.Cpu.Vectors;

/// <summary>The rows of a weight, which is float32 or bfloat16.</summary>
internal readonly unsafe struct WeightRows(float* floats, ushort* halves, int stride)
{
    private readonly float* floats = floats;
    private readonly ushort* halves = halves;
    private readonly nint stride = stride;

    public bool IsNone => floats == null && halves == null;

    public WeightRow this[int row] =>
        floats != null ? new(floats + row * stride, null) : new(null, halves == null ? null : halves + row * stride);
}

/// <summary>One row of a weight. The type is tested per vector: a branch that is always predicted costs less than a second kernel.</summary>
internal readonly unsafe struct WeightRow(float* floats, ushort* halves)
{
    private readonly float* floats = floats;
    private readonly ushort* halves = halves;

    public bool IsNone => floats == null && halves == null;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T At<T>(int column)
        where T : unmanaged, ILanes<T> => halves == null ? T.Load(floats + column) : T.Load(halves + column);
}
