using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ModelCompiler.Cuda.Driver;
using ModelCompiler.Cuda.Gemm;
using ModelCompiler.Cuda.Native;

namespace ModelCompiler.Cuda.Launch;

/// <summary>
/// Collects kernels, products and zeroing until somebody waits for them or copies between host and device, and starts them as a CUDA graph where
/// the very same commands, to the last argument, came before: the second time they are recorded, from the third on one call starts all. What
/// differs in any byte runs command by command, so that no caller needs to say, or know, what repeats.
/// </summary>
internal sealed class CommandQueue(CudaContext context, CudaStream stream, MatrixProducts products) : IKernelLauncher, IDisposable
{
    /// <summary>Most graphs that are kept.</summary>
    private const int MaximumGraphs = 64;

    /// <summary>Most hashes of commands that ran once are remembered.</summary>
    private const int MaximumSeen = 1 << 14;

    /// <summary>Fewer commands than these are started one by one as fast.</summary>
    private const int LeastCommands = 8;

    private readonly Dictionary<ulong, (byte[] Commands, CudaGraph Graph)> _graphs = [];
    private readonly HashSet<ulong> _seen = [];
    private byte[] _commands = new byte[1 << 16];
    private int _length;
    private int _count;

    private enum Kind
    {
        Launch,
        Multiply,
        Zero,
    }

    private readonly record struct Header(Kind Kind, int Bytes);

    private readonly record struct KernelStart(nint Function, LaunchGeometry Geometry, int ArgumentBytes);

    private readonly record struct Zeroing(nint Address, long Stride, long Bytes, long Rows);

    /// <summary>Whether graphs are used. Off, every command is started by itself.</summary>
    public bool UsesGraphs { get; set; } = true;

    /// <summary>Graphs recorded so far and kept.</summary>
    public int Graphs => _graphs.Count;

    /// <inheritdoc/>
    public void Launch(nint function, in LaunchGeometry geometry, ReadOnlySpan<byte> arguments)
    {
        geometry.Require();
        Span<byte> room = Append(Kind.Launch, Unsafe.SizeOf<KernelStart>() + arguments.Length);
        MemoryMarshal.Write(room, new KernelStart(function, geometry, arguments.Length));
        arguments.CopyTo(room[Unsafe.SizeOf<KernelStart>()..]);
    }

    /// <summary>Appends a product.</summary>
    public void Multiply(in ProductCall call) => MemoryMarshal.Write(Append(Kind.Multiply, Unsafe.SizeOf<ProductCall>()), in call);

    /// <summary>Appends the zeroing of some bytes in each of several rows.</summary>
    public void Zero(nint address, long stride, long bytes, long rows) =>
        MemoryMarshal.Write(Append(Kind.Zero, Unsafe.SizeOf<Zeroing>()), new Zeroing(address, stride, bytes, rows));

    /// <summary>Starts what was collected.</summary>
    /// <exception cref="CudaException">The driver or cuBLASLt refused a command; what was collected after it is dropped.</exception>
    public void Flush()
    {
        if (_length == 0)
        {
            return;
        }

        try
        {
            if (!UsesGraphs || _count < LeastCommands || Graph() is not { } graph)
            {
                Run();
            }
            else
            {
                stream.Launch(graph);
            }
        }
        finally
        {
            (_length, _count) = (0, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach ((_, CudaGraph graph) in _graphs.Values)
        {
            graph.Dispose();
        }

        _graphs.Clear();
    }

    /// <summary>The graph of the commands; null where they came for the first time.</summary>
    private CudaGraph? Graph()
    {
        ReadOnlySpan<byte> commands = _commands.AsSpan(0, _length);
        ulong hash = Hash(commands);
        if (_graphs.TryGetValue(hash, out (byte[] Commands, CudaGraph Graph) kept))
        {
            return commands.SequenceEqual(kept.Commands) ? kept.Graph : null;
        }

        if (_graphs.Count == MaximumGraphs || _seen.Add(hash))
        {
            if (_seen.Count > MaximumSeen)
            {
                _seen.Clear();
            }

            return null;
        }

        CudaGraph graph = CudaGraph.Record(context, stream, Run);
        _graphs.Add(hash, (commands.ToArray(), graph));
        return graph;
    }

    /// <summary>Starts command by command.</summary>
    private void Run()
    {
        for (ReadOnlySpan<byte> rest = _commands.AsSpan(0, _length); rest.Length > 0;)
        {
            Header header = MemoryMarshal.Read<Header>(rest);
            ReadOnlySpan<byte> command = rest.Slice(Unsafe.SizeOf<Header>(), header.Bytes);
            rest = rest[(Unsafe.SizeOf<Header>() + header.Bytes)..];
            switch (header.Kind)
            {
                case Kind.Launch:
                    KernelStart start = MemoryMarshal.Read<KernelStart>(command);
                    stream.Launch(start.Function, start.Geometry, command.Slice(Unsafe.SizeOf<KernelStart>(), start.ArgumentBytes));
                    break;
                case Kind.Multiply:
                    products.Multiply(MemoryMarshal.Read<ProductCall>(command), stream);
                    break;
                default:
                    Zeroing zero = MemoryMarshal.Read<Zeroing>(command);
                    stream.ZeroRows(zero.Address, zero.Stride, zero.Bytes, zero.Rows);
                    break;
            }
        }
    }

    private Span<byte> Append(Kind kind, int bytes)
    {
        int end = _length + Unsafe.SizeOf<Header>() + bytes;
        if (end > _commands.Length)
        {
            Array.Resize(ref _commands, Math.Max(end, 2 * _commands.Length));
        }

        // Gaps within the structs are compared too.
        Span<byte> room = _commands.AsSpan(_length, end - _length);
        room.Clear();
        MemoryMarshal.Write(room, new Header(kind, bytes));
        _length = end;
        _count++;
        return room[Unsafe.SizeOf<Header>()..];
    }

    /// <summary>Fowler, Noll and Vo's hash over words, with a shift for the bits that multiplication does not reach.</summary>
    private static ulong Hash(ReadOnlySpan<byte> bytes)
    {
        const ulong Prime = 0x100000001B3;
        ulong hash = 0xCBF29CE484222325;
        foreach (ulong word in MemoryMarshal.Cast<byte, ulong>(bytes))
        {
            hash = (hash ^ word) * Prime;
            hash ^= hash >> 29;
        }

        foreach (byte last in bytes[(bytes.Length / sizeof(ulong) * sizeof(ulong))..])
        {
            hash = (hash ^ last) * Prime;
        }

        return hash;
    }
}
