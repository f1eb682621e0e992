using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

public sealed unsafe partial class CpuBackend
{
    /// <inheritdoc/>
    public void SquaredNorm(Tensor x, Tensor sum)
    {
        if (sum.IsNone)
        {
            return;
        }

        var segments = new Segments(x, IsContiguous(x));
        double* parts = stackalloc double[SquaredNormParts];
        double total = 0;
        for (int first = 0; first < segments.Count; first += SquaredNormParts)
        {
            int count = Math.Min(SquaredNormParts, segments.Count - first);
            ForEachRow(new SquaredNormSegments { X = Floats(x), Segments = segments, First = first, Parts = parts }, count, Segments.Length);
            for (int i = 0; i < count; i++)
            {
                total += parts[i];
            }
        }

        *Floats(sum) = (float)(*Floats(sum) + total);
    }

    /// <summary>Partial sums kept on the stack until they are added in order, in double.</summary>
    private const int SquaredNormParts = 1024;

    private struct SquaredNormSegments : IRowKernel
    {
        public float* X;
        public Segments Segments;
        public int First;
        public double* Parts;

        public readonly void Row(int row)
        {
            (nint offset, int length) = Segments[First + row];
            Parts[row] = Columns.Sum(new Square { X = X + offset }, length);
        }
    }
}
