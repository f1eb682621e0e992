using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Passes;

/// <summary>A region's operations with the name of every value and the rows of its frame.</summary>
/// <param name="Forward">Forward operations.</param>
/// <param name="Backward">Backward operations.</param>
/// <param name="Names">Name of each value in the generated text.</param>
/// <param name="Table">The frame.</param>
public sealed record FrameDraft(Op[] Forward, Op[] Backward, IReadOnlyDictionary<Value, string> Names, FrameTable Table);

/// <summary>
/// Decides which values share a buffer. An output joins the buffer of its accumulator, or of an input its row may overwrite, when
/// nothing reads that buffer later. The gradient of the residual stream ends in the buffer it came in; where that cannot be, it is copied.
/// </summary>
public sealed class AssignBuffers
{
    private readonly Op[] _ops;
    private readonly int _forwardOps;
    private readonly Dictionary<Value, Buffer> _bufferOf = [];
    private readonly Dictionary<Value, int> _lastRead = [];
    private readonly List<Buffer> _buffers = [];
    private readonly bool _inPlace;

    private AssignBuffers(Op[] ops, int forwardOps, bool inPlace) => (_ops, _forwardOps, _inPlace) = (ops, forwardOps, inPlace);

    /// <summary>Runs the pass.</summary>
    /// <param name="name">Name of the frame.</param>
    /// <param name="forward">Forward.</param>
    /// <param name="backward">Backward; null where there is none.</param>
    /// <param name="carried">Whether input and output are the frame's own (layers, prologue) or not (loss, head).</param>
    /// <param name="inPlace">Whether values may share buffers at all.</param>
    /// <param name="slots">Number of adapter slots.</param>
    public static FrameDraft Run(string name, Region forward, Region? backward, bool carried, bool inPlace, int slots)
    {
        Op[] backwardOps = backward?.Ops ?? [];
        Value? gradientIn = backward?.Input;
        Value? gradientOut = backward?.Output;
        FrameDraft draft = Assign();
        bool returned = gradientIn is null || gradientOut is null || ReferenceEquals(gradientIn, gradientOut)
            || draft.Names[gradientOut] == ResidualGradient;
        if (!returned)
        {
            var copy = new Value(ResidualGradient, gradientOut!.Shape, ValueKind.Computed);
            backwardOps = [.. backwardOps, new Op(new Copy(), [gradientOut], [copy])];
            gradientOut = copy;
            draft = Assign();
        }

        return draft;

        FrameDraft Assign()
        {
            var lifetimes = new AssignBuffers([.. forward.Ops, .. backwardOps], forward.Ops.Length, inPlace);
            return lifetimes.Build(name, forward, backwardOps, gradientIn, gradientOut, carried, slots);
        }
    }

    private const string ResidualGradient = "ResidualGradient";

    private FrameDraft Build(string name, Region forward, Op[] backwardOps, Value? gradientIn, Value? gradientOut, bool carried, int slots)
    {
        CountReads(carried ? forward.Output : null, gradientOut);
        if (forward.Input is not null)
        {
            Own(forward.Input, -1, carried ? BufferKind.Input : BufferKind.Hidden);
        }

        Buffer? residual = gradientIn is null ? null : Own(gradientIn, -1, BufferKind.ResidualGradient);
        for (int position = 0; position < _ops.Length; position++)
        {
            AssignOutputs(position, gradientOut, residual);
        }

        if (forward.Output is not null)
        {
            Buffer output = _bufferOf[forward.Output];
            output.Kind = carried ? BufferKind.Output : output.Kind;
            output.Last = carried ? output.Last : _ops.Length;
        }

        if (gradientIn is null && gradientOut is not null)
        {
            _bufferOf[gradientOut].Kind = BufferKind.ResidualGradient;
        }

        (FrameBuffer[] rows, Dictionary<Value, string> names) = Rows(carried);
        var work = new WorkCount(slots, value => _bufferOf.TryGetValue(value, out Buffer? buffer) && buffer.Kind == BufferKind.Absent);
        var table = new FrameTable(name, rows, work.Of(forward.Ops), work.Of(backwardOps), OutputMayTakeInput(forward, carried))
        {
            Widened = Widened(rows, names),
        };
        return new FrameDraft(forward.Ops, backwardOps, names, table);
    }

    private void CountReads(Value? output, Value? gradientOut)
    {
        for (int position = 0; position < _ops.Length; position++)
        {
            foreach (Value value in _ops[position].Reads)
            {
                _lastRead[value] = position;
            }
        }

        if (output is not null)
        {
            _lastRead[output] = Math.Max(LastRead(output), _forwardOps);
        }

        if (gradientOut is not null)
        {
            _lastRead[gradientOut] = _ops.Length;
        }
    }

    private int LastRead(Value value) => _lastRead.TryGetValue(value, out int last) ? last : -1;

    private void AssignOutputs(int position, Value? gradientOut, Buffer? residual)
    {
        Op op = _ops[position];
        var taken = new HashSet<Buffer>();
        for (int i = 0; i < op.Outputs.Length; i++)
        {
            if (op.Outputs[i] is not { } output)
            {
                continue;
            }

            bool copied = op.Operation is Copy && ReferenceEquals(output, gradientOut) && residual is not null;
            Buffer? buffer = copied ? residual : _inPlace ? Shareable(op, i, output, position, taken) : null;
            if (buffer is null)
            {
                // A second output that nobody reads, such as a norm's statistics where no backward follows, is not made.
                BufferKind kind = i > 0 && LastRead(output) < 0 ? BufferKind.Absent : position < _forwardOps ? BufferKind.Saved : BufferKind.Scratch;
                buffer = Own(output, position, kind);
                buffer.Statistic = op.Operation.IsStatistic(i);
            }
            else
            {
                buffer.Members.Add(output);
                buffer.Last = Math.Max(buffer.Last, Math.Max(position, LastRead(output)));
                _bufferOf[output] = buffer;
            }

            taken.Add(buffer);
        }
    }

    private Buffer Own(Value value, int position, BufferKind kind)
    {
        var buffer = new Buffer { Kind = kind, First = position, Last = Math.Max(position, LastRead(value)), Shape = value.Shape };
        buffer.Members.Add(value);
        _buffers.Add(buffer);
        _bufferOf[value] = buffer;
        return buffer;
    }

    private Buffer? Shareable(Op op, int index, Value output, int position, HashSet<Buffer> taken)
    {
        int[] overwritable = op.Operation.MayOverwrite(index);
        IEnumerable<Value> candidates = op.Accumulator is null
            ? overwritable.Select(i => op.Inputs[i])
            : overwritable.Select(i => op.Inputs[i]).Prepend(op.Accumulator);
        foreach (Value candidate in candidates)
        {
            if (!_bufferOf.TryGetValue(candidate, out Buffer? buffer) || taken.Contains(buffer) || buffer.Kind is BufferKind.Input or BufferKind.Hidden
                || buffer.Last > position || buffer.Shape != output.Shape)
            {
                continue;
            }

            // No other operand of this operation may lie in the same buffer, unless the row permits overwriting it too.
            bool alone = true;
            for (int i = 0; i < op.Inputs.Length; i++)
            {
                bool same = _bufferOf.TryGetValue(op.Inputs[i], out Buffer? other) && other == buffer;
                alone &= !same || (ReferenceEquals(op.Inputs[i], candidate) && overwritable.Contains(i));
            }

            if (alone)
            {
                return buffer;
            }
        }

        return null;
    }

    /// <summary>The widths that operations have among the rows that may be kept in 16 bits, without those that another's cover.</summary>
    private Dim[][] Widened(FrameBuffer[] rows, Dictionary<Value, string> names)
    {
        Dictionary<string, FrameBuffer> narrowing = rows.Where(static r => r.Narrows).ToDictionary(static r => r.Name);
        var covering = new List<Dim[]>();
        if (narrowing.Count == 0)
        {
            return [];
        }

        foreach (Op op in _ops)
        {
            var buffers = new HashSet<Buffer>();
            var widths = new List<Dim>();
            foreach (Value value in op.Reads.Concat(op.Outputs.OfType<Value>()))
            {
                if (_bufferOf.TryGetValue(value, out Buffer? buffer) && buffers.Add(buffer) && narrowing.TryGetValue(names[buffer.Members[0]], out FrameBuffer? row))
                {
                    widths.Add(row.Columns);
                }
            }

            widths.Sort(static (a, b) => (b.Symbol, b.Slot, b.Factor).CompareTo((a.Symbol, a.Slot, a.Factor)));
            if (widths.Count > 0 && !covering.Exists(c => Covers(c, widths)))
            {
                covering.RemoveAll(c => Covers(widths, c));
                covering.Add([.. widths]);
            }
        }

        return covering.ToArray();
    }

    /// <summary>Whether each width has a greater or equal one of its own; both in descending order.</summary>
    private static bool Covers(IReadOnlyList<Dim> covering, IReadOnlyList<Dim> widths)
    {
        int next = 0;
        foreach (Dim width in widths)
        {
            while (next < covering.Count && (covering[next] with { Factor = width.Factor } != width || covering[next].Factor < width.Factor))
            {
                next++;
            }

            if (next++ == covering.Count)
            {
                return false;
            }
        }

        return true;
    }

    private bool OutputMayTakeInput(Region forward, bool carried)
    {
        if (!carried || forward.Input is null || forward.Output is null)
        {
            return true;
        }

        int written = _bufferOf[forward.Output].First;
        int read = LastRead(forward.Input);
        return read < written || (read == written && ReferenceEquals(_ops[written].Accumulator, forward.Input) && !_ops[written].Inputs.Contains(forward.Input));
    }

    private (FrameBuffer[] Rows, Dictionary<Value, string> Names) Rows(bool carried)
    {
        var rows = new List<FrameBuffer>();
        var names = new Dictionary<Value, string>();
        var used = new HashSet<string>();
        foreach (Buffer buffer in _buffers)
        {
            BufferKind kind = buffer.Kind == BufferKind.Saved && (buffer.Last < _forwardOps || !carried) ? BufferKind.Scratch : buffer.Kind;
            int owner = -1;
            var own = new Dictionary<string, string>();
            foreach (Value member in buffer.Members)
            {
                string wanted = kind is BufferKind.ResidualGradient or BufferKind.Input or BufferKind.Hidden ? kind.ToString() : member.Name;
                if (!own.TryGetValue(wanted, out string? name))
                {
                    name = wanted;
                    for (int n = 2; !used.Add(name); n++)
                    {
                        name = wanted + n.ToString(System.Globalization.CultureInfo.InvariantCulture);
                    }

                    own.Add(wanted, name);
                    rows.Add(new FrameBuffer(name, member.Shape.Rows, member.Shape.Columns, kind, buffer.First, buffer.Last, owner, buffer.Statistic));
                    owner = owner < 0 ? rows.Count - 1 : owner;
                }

                names[member] = name;
            }
        }

        return (rows.ToArray(), names);
    }

    private sealed class Buffer
    {
        public List<Value> Members { get; } = [];

        public BufferKind Kind { get; set; }

        public int First { get; init; }

        public int Last { get; set; }

        public Shape Shape { get; init; }

        public bool Statistic { get; set; }
    }
}
