using ModelCompiler.Adapters;
using ModelCompiler.Backends;
using ModelCompiler.Planning;
using ModelCompiler.Tensors;

namespace ModelCompiler.Models;

/// <summary>What the generator adds to a compiled class, so that generic code can plan and create it.</summary>
/// <typeparam name="TSelf">The class.</typeparam>
public interface IModel<TSelf>
    where TSelf : TransformerModel, IModel<TSelf>
{
    /// <summary>Everything the planner needs.</summary>
    static abstract ModelTables Tables { get; }

    /// <summary>Binds the model to a plan on a backend.</summary>
    static abstract TSelf Create(Plan plan, IBackend backend);
}

/// <summary>
/// A compiled model bound to one plan on one backend. The generator derives from it: forward, backward and generation are the
/// generated methods; this class keeps the arena, the parameters and the scalars of the step.
/// </summary>
public abstract class TransformerModel : IDisposable
{
    private readonly Dictionary<(FramePlan, int Batch, int Sequence, int Rows), FrameHandles> _handles = [];
    private readonly Parameter[] _parameters;
    private readonly int[] _firstOfRow;
    private readonly List<AdapterState> _adapters = [];
    private readonly FrameHandles[] _layers;
    private FrameHandles _prologue;
    private Step _step;
    private int _batch;
    private int _sequence;

    /// <summary>Allocates the plan's arena and binds every parameter to its place.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="backend">A backend whose arena is not allocated yet; the model disposes it.</param>
    protected TransformerModel(Plan plan, IBackend backend)
    {
        Plan = plan;
        Kernels = backend;
        backend.Allocate(plan.Cost.Arena);
        backend.UseWorkspace(plan.Workspace.Offset, plan.Cost.Workspace);
        _parameters = plan.Parameters.Select(p => new Parameter(p)).ToArray();
        _firstOfRow = plan.Tables.Parameters.Select(row => Array.FindIndex(plan.Parameters, p => ReferenceEquals(p.Row, row))).ToArray();
        _layers = new FrameHandles[plan.Tables.Layers];
        _prologue = null!;
        Resize(plan.Sizes.Batch, plan.Sizes.Sequence);
    }

    /// <summary>The plan.</summary>
    public Plan Plan { get; }

    /// <summary>The backend.</summary>
    public IBackend Kernels { get; }

    /// <summary>The model's tables.</summary>
    public ModelTables Tables => Plan.Tables;

    /// <summary>All parameters.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>The trainable parameters.</summary>
    public IEnumerable<Parameter> Trainable => _parameters.Where(p => p.Row.Trainable);

    /// <summary>All adapters, layer by layer.</summary>
    public IReadOnlyList<AdapterState> Adapters => _adapters;

    /// <summary>The scalars of the current micro-step.</summary>
    public Step Step => _step;

    /// <summary>Tokens of the current micro-step.</summary>
    public int Tokens => _batch * _sequence;

    /// <summary>Rows of one chunk of the loss.</summary>
    public int ChunkRows => Math.Min(Plan.Sizes.Rows, Tokens);

    /// <summary>What is kept from forward for backward.</summary>
    public Checkpointing Checkpointing => Plan.Checkpointing;

    /// <summary>Token ids of the current micro-step, [tokens, 1].</summary>
    public Tensor TokenIds => Plan.Ids.Handle() with { Rows = Tokens };

    /// <summary>Targets of the current micro-step, [tokens, 1].</summary>
    public Tensor Targets => Plan.Targets.Handle() with { Rows = Tokens };

    /// <summary>The summed loss since it was last zeroed.</summary>
    public Tensor LossSum => Plan.Scalars.Handle().Slice(0, 1);

    /// <summary>The squared norm of the gradients.</summary>
    public Tensor GradientNorm => Plan.Scalars.Handle().Slice(1, 1);

    /// <summary>The last residual stream, [tokens, width].</summary>
    public Tensor Hidden => TokenBuffer(Plan.HiddenOffset, Plan.Tables.Width);

    /// <summary>The gradient of the residual stream, [tokens, width].</summary>
    public Tensor ResidualGradient => Plan.Serves ? Tensor.None : TokenBuffer(Plan.ResidualGradient.Offset, Plan.Tables.Width);

    /// <summary>Starts a micro-step; batch and sequence may be smaller than planned.</summary>
    /// <param name="step">Its scalars.</param>
    /// <param name="training">Whether dropout is on.</param>
    /// <exception cref="ArgumentException">The step is larger than the plan.</exception>
    public void BeginStep(in Step step, bool training)
    {
        if (step.Batch > Plan.Sizes.Batch || step.Sequence > Plan.Sizes.Sequence)
        {
            throw new ArgumentException($"a step of {step.Batch} x {step.Sequence} tokens is larger than the plan's {Plan.Sizes.Batch} x {Plan.Sizes.Sequence}");
        }

        if (step.Batch != _batch || step.Sequence != _sequence)
        {
            Resize(step.Batch, step.Sequence);
        }

        _step = step;
        Kernels.BeginStep(step);
        foreach (AdapterState adapter in _adapters)
        {
            adapter.DropoutRate = training ? adapter.Slot.Dropout : 0;
        }
    }

    /// <summary>Ids to the last residual stream, in <see cref="Hidden"/>.</summary>
    public abstract void Forward();

    /// <summary>Adds the loss of all rows to <see cref="LossSum"/>; with <paramref name="backward"/> also leaves its gradient in <see cref="ResidualGradient"/>.</summary>
    public abstract void Loss(bool backward);

    /// <summary>From <see cref="ResidualGradient"/> down, adding to the trainable parameters' gradients.</summary>
    public abstract void Backward();

    /// <summary>Generation: ids to the last residual stream, over the caches.</summary>
    public abstract void Serve();

    /// <summary>Generation: logits of some rows of <see cref="Hidden"/>, at most as many as the plan's batch.</summary>
    /// <param name="firstRow">First row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <returns>The logits, [rows, vocabulary].</returns>
    public abstract Tensor Logits(int firstRow, int rows);

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGradients()
    {
        foreach (Parameter parameter in _parameters)
        {
            if (!parameter.Gradient.IsNone)
            {
                Kernels.Zero(parameter.Gradient);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kernels.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The parameter of a table row, in a layer where every layer has one.</summary>
    protected Parameter At(int row, int layer = -1) =>
        _parameters[_firstOfRow[row] + Math.Max(0, layer - Tables.Parameters[row].FirstLayer)];

    /// <summary>Keeps an adapter the generated code made.</summary>
    protected TAdapter Register<TAdapter>(TAdapter adapter)
        where TAdapter : AdapterState
    {
        _adapters.Add(adapter);
        return adapter;
    }

    /// <summary>The frame of a layer.</summary>
    protected Frame FrameAt(int layer) => new(_layers[layer], Plan.FrameBases[layer], ResidualGradient);

    /// <summary>The frame of the prologue.</summary>
    protected Frame PrologueFrameAt() => new(_prologue, Plan.FrameBases.Length == 0 ? Plan.HiddenOffset : Plan.FrameBases[0] + Plan.Frames[0].InputOffset - Plan.Prologue.OutputOffset, ResidualGradient);

    /// <summary>The frame of a chunk of the loss or of the head.</summary>
    protected Frame ChunkAt(int firstRow, int rows)
    {
        FrameHandles handles = Handles(Plan.Top, rows);
        Tensor gradient = ResidualGradient.IsNone ? Tensor.None : ResidualGradient.Slice(firstRow, rows);
        Tensor targets = Plan.Serves ? Tensor.None : Targets.Slice(firstRow, rows);
        return new Frame(handles, Plan.TopBase, gradient, Hidden.Slice(firstRow, rows), targets, firstRow);
    }

    /// <summary>A cache of keys (even) or values (odd) of a layer.</summary>
    protected Tensor Cache(int layer, int index) => Plan.Caches[layer * 2 * Tables.CacheWidths.Length + index].Handle();

    /// <summary>The key of a slot's dropout mask in this micro-step.</summary>
    protected ulong DropoutKey(AdapterState adapter) => _step.Key(adapter.Layer, adapter.Index);

    private void Resize(int batch, int sequence)
    {
        (_batch, _sequence) = (batch, sequence);
        _prologue = Handles(Plan.Prologue, Plan.Sizes.Rows);
        for (int layer = 0; layer < _layers.Length; layer++)
        {
            _layers[layer] = Handles(Plan.Frames[layer], Plan.Sizes.Rows);
        }
    }

    /// <summary>A frame's handles at the current sizes; made once, so that a step allocates nothing.</summary>
    private FrameHandles Handles(FramePlan frame, int rows)
    {
        var key = (frame, _batch, _sequence, rows);
        if (!_handles.TryGetValue(key, out FrameHandles? handles))
        {
            handles = new FrameHandles(frame, Plan.Sizes with { Batch = _batch, Sequence = _sequence, Rows = rows }, Plan.Profile);
            _handles.Add(key, handles);
        }

        return handles;
    }

    private Tensor TokenBuffer(long offset, int columns) =>
        new(offset, Tokens, columns, Plan.Profile.RowStride(columns, Plan.Profile.Compute), Plan.Profile.Compute);
}
