using ModelCompiler.Planning;
using ModelCompiler.Tensors;
using TorchSharp;

namespace ModelCompiler.Torch;

public sealed partial class TorchBackend
{
    /// <summary>Elements of a matrix of a piece, for each thread of torch on the CPU: they pass in more time than calls take, and some matrices of them stay in the cache.</summary>
    private const int ElementsPerThread = 1 << 18;

    private readonly List<Scalar> _scalars = [];
    private Tensor _workspace;
    private MemoryRange _operand;
    private long _scratchEnd;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The part is smaller than the profile's workspace, not aligned, or outside the arena.</exception>
    public void UseWorkspace(long offset, long bytes)
    {
        if (bytes < Profile.Workspace || offset % Profile.Alignment != 0 || offset < 0 || offset + bytes > AllocatedBytes)
        {
            throw new ArgumentException(
                $"A workspace of {bytes} bytes at {offset} does not do: {Profile.Workspace} bytes, aligned to {Profile.Alignment}, inside the arena of {AllocatedBytes} bytes.");
        }

        int floats = checked((int)(Profile.Workspace / sizeof(float)));
        _workspace = new Tensor(offset, 1, floats, floats, DType.Float32);
        _operand = new MemoryRange(offset + Profile.Workspace, bytes - Profile.Workspace);
    }

    /// <summary>Starts a piece of work: when it is disposed, so are the tensors and scalars made since, and the scratch is free again.</summary>
    private Work Begin() => new(this);

    /// <summary>An uninitialized Float32 matrix in the workspace.</summary>
    private TorchTensor Scratch(long rows, long columns) => Scratch(rows, columns, torch.ScalarType.Float32);

    /// <summary>An uninitialized matrix of elements of at most 4 bytes; it takes as much of the workspace as one of Float32.</summary>
    private TorchTensor Scratch(long rows, long columns, torch.ScalarType type)
    {
        if (_scratchEnd + rows * columns > _workspace.Columns)
        {
            throw new InvalidOperationException($"A row of {columns} elements does not fit the workspace of {_workspace.Columns} elements.");
        }

        TorchTensor typed = Typed(type);
        TorchTensor scratch = typed.as_strided([rows, columns], [columns, 1], (_workspace.Offset + _scratchEnd * sizeof(float)) / typed.ElementSize);
        _scratchEnd += rows * columns;
        return scratch;
    }

    /// <summary>A matrix in the workspace with the shape of a handle, and its values.</summary>
    private TorchTensor ScratchOf(Tensor x) => Scratch(x.Rows, x.Columns).copy_(View(x));

    /// <summary>
    /// Groups of rows for an operation of several passes over them: on the CPU the passes after the first find the rows in the cache; and some matrices
    /// of as many rows fit the workspace.
    /// </summary>
    private IEnumerable<(int First, int Count)> InTurn(int rows, long columns, int matrices) => Groups(rows, columns, PieceElements(matrices));

    /// <summary>Groups of rows that leave room for some matrices of as many rows in the workspace.</summary>
    private IEnumerable<(int First, int Count)> InWorkspace(int rows, long columns, int matrices) => Groups(rows, columns, _workspace.Columns / matrices);

    /// <summary>Elements of one of the matrices of a piece.</summary>
    private long PieceElements(int matrices) => Math.Min(_workspace.Columns / matrices, Profile.IsHostMemory ? ElementsPerThread * (long)torch.get_num_threads() : long.MaxValue);

    /// <summary>Groups of rows with at most this many elements, or of one row.</summary>
    private static IEnumerable<(int First, int Count)> Groups(int rows, long columns, long elements)
    {
        int most = (int)Math.Clamp(elements / Math.Max(1, columns), 1, Math.Max(1, rows));
        for (int first = 0; first < rows; first += most)
        {
            yield return (first, Math.Min(most, rows - first));
        }
    }

    /// <summary>
    /// A number as torch takes it, for as long as the work lasts: what the garbage collector frees, it frees late, or, of a factor that an overload of
    /// TorchSharp's adds by itself, while torch reads it. So sums say their factor, 1.
    /// </summary>
    private Scalar Number(double value) => Keep(value.ToScalar());

    /// <summary>A whole number: with it, whole numbers stay whole.</summary>
    private Scalar Number(long value) => Keep(value.ToScalar());

    private Scalar Keep(Scalar scalar)
    {
        _scalars.Add(scalar);
        return scalar;
    }

    /// <summary>The values of a handle as another type: its own memory where it has that type, else a copy for as long as the work lasts.</summary>
    private TorchTensor As(DType type, Tensor x) => View(x).to_type(ScalarTypeOf(type));

    /// <summary>A weight that scales channels, as a Float32 row.</summary>
    private TorchTensor Channels(Tensor w) => As(DType.Float32, w);

    private readonly ref struct Work
    {
        private readonly TorchBackend _backend;
        private readonly DisposeScope _scope = torch.NewDisposeScope();

        public Work(TorchBackend backend)
        {
            _backend = backend;
            _backend._scratchEnd = 0;
        }

        public void Dispose()
        {
            _scope.Dispose();
            foreach (Scalar scalar in _backend._scalars)
            {
                scalar.Dispose();
            }

            _backend._scalars.Clear();
        }
    }
}
