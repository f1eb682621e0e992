using System.Runtime.CompilerServices;
using ModelCompiler.Backends.Cpu.Vectors;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Backends.Cpu;

/// <summary>What a kernel does with one row; rows are independent.</summary>
internal interface IRowKernel
{
    void Row(int row);
}

/// <summary>What a kernel does with the columns from <c>first</c> up to, not including, <c>end</c> of all rows; ranges are independent.</summary>
internal interface IColumnKernel
{
    void Range(int first, int end);
}

public sealed unsafe partial class CpuBackend
{
    /// <summary>Elements a block should have at least: some microseconds, against a tenth of one to fetch the next.</summary>
    private const int ElementsPerBlock = 8192;

    /// <summary>Columns of a range, a multiple of every vector width.</summary>
    private const int ColumnsPerRange = 64;

    private FloatRows RowsOf(Tensor tensor) => new(Floats(tensor), tensor.Stride);

    /// <exception cref="ArgumentException">The tensor is neither Float32 nor BFloat16.</exception>
    private WeightRows WeightsOf(Tensor tensor)
    {
        bool half = !tensor.IsNone && tensor.Type == DType.BFloat16;
        return half ? new(null, (ushort*)Arena.At(tensor), tensor.Stride) : new(Floats(tensor), null, tensor.Stride);
    }

    /// <summary>Shares rows among the threads.</summary>
    private void ForEachRow<TKernel>(TKernel kernel, int rows, int columns)
        where TKernel : unmanaged, IRowKernel
    {
        int perBlock = Math.Max(1, ElementsPerBlock / Math.Max(columns, 1));
        var job = new Job<TKernel> { Kernel = kernel, Count = rows, PerBlock = perBlock };
        team.Run((rows + perBlock - 1) / perBlock, &RunRows<TKernel>, &job);
    }

    /// <summary>Shares ranges of columns among the threads.</summary>
    private void ForEachColumnRange<TKernel>(TKernel kernel, int rows, int columns)
        where TKernel : unmanaged, IColumnKernel
    {
        int perBlock = Math.Max(1, ElementsPerBlock / ColumnsPerRange / Math.Max(rows, 1)) * ColumnsPerRange;
        var job = new Job<TKernel> { Kernel = kernel, Count = columns, PerBlock = perBlock };
        team.Run((columns + perBlock - 1) / perBlock, &RunColumns<TKernel>, &job);
    }

    /// <summary>Refuses ids a kernel would follow out of a table; negative ones too unless they mark what to ignore.</summary>
    /// <exception cref="ArgumentException">An id is outside the table.</exception>
    private void RequireIds(Tensor ids, int limit, bool ignoreNegative)
    {
        int* first = Integers(ids);
        for (int row = 0; row < ids.Rows; row++)
        {
            int id = first[(nint)row * ids.Stride];
            if (id >= limit || (id < 0 && !ignoreNegative))
            {
                throw new ArgumentException($"The id {id} in row {row} is outside the {limit} entries of its table.");
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunRows<TKernel>(void* context, int block, int thread)
        where TKernel : unmanaged, IRowKernel
    {
        var job = (Job<TKernel>*)context;
        TKernel kernel = job->Kernel;
        int end = Math.Min((block + 1) * job->PerBlock, job->Count);
        for (int row = block * job->PerBlock; row < end; row++)
        {
            kernel.Row(row);
        }
    }

    private static void RunColumns<TKernel>(void* context, int block, int thread)
        where TKernel : unmanaged, IColumnKernel
    {
        var job = (Job<TKernel>*)context;
        int first = block * job->PerBlock;
        job->Kernel.Range(first, Math.Min(first + job->PerBlock, job->Count));
    }

    private struct Job<TKernel>
        where TKernel : unmanaged
    {
        public TKernel Kernel;
        public int Count;
        public int PerBlock;
    }
}
