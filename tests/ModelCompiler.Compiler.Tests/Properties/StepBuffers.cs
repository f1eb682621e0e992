using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Tests.Properties;

/// <summary>A buffer of a training step.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Offset">Byte offset in the arena.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="From">The operation of the whole step that first writes it.</param>
/// <param name="To">The last operation that reads it.</param>
public sealed record StepBuffer(string Name, long Offset, long Bytes, int From, int To)
{
    /// <summary>Whether there is no operation during which both are live, or no byte that both have.</summary>
    public bool Apart(StepBuffer other) =>
        To < other.From || other.To < From || Offset + Bytes <= other.Offset || other.Offset + other.Bytes <= Offset;
}

/// <summary>All buffers of a step's activations, on one clock that counts the operations of the step in the order in which generated code runs them.</summary>
public sealed class StepBuffers
{
    private readonly List<StepBuffer> _buffers = [];
    private readonly Plan _plan;
    private int _clock;

    private StepBuffers(Plan plan) => _plan = plan;

    public static StepBuffer[] Of(Plan plan)
    {
        var step = new StepBuffers(plan);
        step.Build();
        return [.. step._buffers];
    }

    private void Build()
    {
        StackedFrame[] forward = _plan.Stack.Forward;
        StackedFrame[] backward = _plan.Stack.Backward;
        bool segmented = _plan.Stack.Segments is not null;
        int prologue = Tick(_plan.Prologue.Table.ForwardOps);
        int[] forwardStarts = [.. forward.Select(f => Tick(f.Plan.Table.ForwardOps))];
        (int lossStart, int lossEnd) = AddLoss();
        int gradientEnd = lossEnd;
        var backwardStarts = new int[forward.Length];
        var rebuildStarts = new int[forward.Length];
        for (int layer = forward.Length - 1; layer >= 0; layer--)
        {
            for (int recomputed = _plan.Stack.FirstRecomputed(layer); recomputed < layer; recomputed++)
            {
                rebuildStarts[recomputed] = Tick(backward[recomputed].Plan.Table.ForwardOps);
            }

            backwardStarts[layer] = Tick(backward[layer].Plan.Table.BackwardOps);
            gradientEnd = GradientEnd(gradientEnd, backward[layer].Plan.Table, backwardStarts[layer]);
        }

        int prologueBackward = Tick(_plan.Prologue.Table.BackwardOps);
        gradientEnd = GradientEnd(gradientEnd, _plan.Prologue.Table, prologueBackward);
        AddFrame("prologue", _plan.Prologue, _plan.Stack.Forward[0].Input - _plan.Prologue.OutputOffset, prologue, prologueBackward);
        for (int layer = 0; layer < forward.Length; layer++)
        {
            bool checkpoint = segmented && _plan.Stack.Segments!.Value.IsLowest(layer);
            bool again = segmented && backward[layer].Plan.Table.BackwardOps > 0;
            int recompute = again && backward[layer].Plan.Table.ForwardOps > 0 ? rebuildStarts[layer] : backwardStarts[layer];
            AddFrame($"layer {layer}", forward[layer].Plan, forward[layer].Base, forwardStarts[layer], backwardStarts[layer], inputUntil: checkpoint ? recompute - 1 : null);
            if (again)
            {
                AddFrame($"layer {layer} again", backward[layer].Plan, backward[layer].Base, recompute, backwardStarts[layer]);
            }
        }

        if (_plan.Top.Table.Buffers.Any(r => r.Kind == BufferKind.ResidualGradient))
        {
            _buffers.Add(new StepBuffer("residual gradient", _plan.ResidualGradient.Offset, TokenBytes, lossStart, gradientEnd));
        }
    }

    private long TokenBytes => FramePlanner.Bytes(new FrameBuffer("", Dim.Tokens, new Dim(_plan.Tables.Width), BufferKind.Scratch, 0, 0), _plan.Sizes, _plan.Profile);

    private int Tick(int operations) => (_clock += operations) - operations;

    private static int GradientEnd(int before, FrameTable table, int backward) => table.Buffers.Where(r => r.Kind == BufferKind.ResidualGradient && table.BackwardOps > 0)
        .Select(r => backward + Math.Min(r.Last, table.ForwardOps + table.BackwardOps - 1) - table.ForwardOps).Append(before).Max();

    /// <summary>One chunk stands for all: they lie in the same place, and only the last one can do without the hidden states.</summary>
    private (int Start, int End) AddLoss()
    {
        FrameTable table = _plan.Top.Table;
        int operations = table.ForwardOps + table.BackwardOps;
        int start = Tick(operations);
        bool one = _plan.Sizes.Tokens <= _plan.Sizes.Rows;
        int hidden = one ? table.Buffers.Where(r => r.Kind == BufferKind.Hidden).Select(r => r.Last).Single() : operations - 1;
        _buffers.Add(new StepBuffer("hidden", _plan.Stack.Hidden, TokenBytes, start, start + hidden));
        Add("loss", _plan.Top, _plan.TopBase, (row, _) => (start + row.First, start + Math.Min(row.Last, operations - 1)));
        return (start, start + operations - 1);
    }

    private void AddFrame(string name, FramePlan frame, long origin, int forward, int backward, int? inputUntil = null) => Add(name, frame, origin, (row, table) =>
    {
        int written = table.Buffers.Where(r => r.Kind == BufferKind.Output).Select(r => r.First).DefaultIfEmpty(int.MaxValue).Min();
        int last = row.Kind switch
        {
            // The next layer's input from there on.
            BufferKind.Output => table.ForwardOps - 1,

            // The output is added up in its memory.
            BufferKind.Input when table.OutputOverInput && inputUntil is null => Math.Min(row.Last, written - 1),
            _ => row.Last,
        };
        int At(int position) => position < table.ForwardOps ? forward + position : backward + Math.Min(position, table.ForwardOps + table.BackwardOps - 1) - table.ForwardOps;
        return (At(Math.Max(0, row.First)), row.Kind == BufferKind.Input && inputUntil is { } until ? until : At(last));
    });

    private void Add(string name, FramePlan frame, long origin, Func<FrameBuffer, FrameTable, (int From, int To)> life)
    {
        for (int i = 0; i < frame.Table.Buffers.Length; i++)
        {
            FrameBuffer row = frame.Table.Buffers[i];
            if (frame.Bytes[i] > 0)
            {
                (int from, int to) = life(row, frame.Table);
                _buffers.Add(new StepBuffer($"{name} {row.Name}", origin + frame.Offsets[i], frame.Bytes[i], from, to));
            }
        }
    }
}
