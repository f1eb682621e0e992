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
    private readonly Dictionary<(FramePlan, int Layer, int Batch, int Sequence, int Rank), FrameHandles> _handles = [];
    private readonly Parameter[] _parameters;
    private readonly int[] _firstOfRow;
    private readonly List<AdapterState> _adapters = [];
    private readonly FrameHandles[] _forward;
    private readonly FrameHandles[] _backward;
    private FrameHandles _top;
    private readonly int[] _lossRows;
    private readonly int[] _lossTargets;
    private FrameHandles _prologue;
    private Step _step;
    private int _batch;
    private int _sequence;
    private int _rank = int.MaxValue;
    private bool _adaptersEnabled = true;
    private bool _disposed;

    /// <summary>Allocates the plan's arena and binds every parameter to its place.</summary>
    /// <param name="plan">The plan.</param>
    /// <param name="backend">A backend whose arena is not allocated yet; the model disposes it.</param>
    protected TransformerModel(Plan plan, IBackend backend)
    {
        Plan = plan;
        Backend = plan.Widening.Bytes > 0 ? new WideningBackend(backend, plan) : backend;
        backend.Allocate(plan.Cost.Arena);
        if (plan.Cost.Paged > 0)
        {
            backend.AllocatePaged(plan.Cost.Paged);
        }

        backend.UseWorkspace(plan.Workspace.Offset, plan.Workspace.Bytes);
        _parameters = plan.Parameters.Select(p => new Parameter(p)).ToArray();
        _firstOfRow = plan.Tables.Parameters.Select(row => Array.FindIndex(plan.Parameters, p => ReferenceEquals(p.Row, row))).ToArray();
        PagedMoments = new PagedMoments(this);
        Packed = plan.Packed is { } regions ? new PackedAdapters(this, regions) : null;
        _forward = new FrameHandles[plan.Tables.Layers];
        _backward = new FrameHandles[plan.Tables.Layers];
        _top = null!;
        _lossRows = new int[plan.LossRows.Rows];
        _lossTargets = new int[plan.LossRows.Rows];
        _prologue = null!;
        Resize(plan.Sizes.Batch, plan.Sizes.Sequence);
    }

    /// <summary>The plan.</summary>
    public Plan Plan { get; }

    /// <summary>The backend.</summary>
    public IBackend Backend { get; }

    /// <summary>The model's tables.</summary>
    public ModelTables Tables => Plan.Tables;

    /// <summary>All parameters.</summary>
    public IReadOnlyList<Parameter> Parameters => _parameters;

    /// <summary>The trainable parameters.</summary>
    public IEnumerable<Parameter> Trainable => _parameters.Where(p => p.Info.Trainable);

    /// <summary>The moments that lie in host memory.</summary>
    public PagedMoments PagedMoments { get; }

    /// <summary>The adapters whose ranks may move; null where there are none.</summary>
    internal PackedAdapters? Packed { get; }

    /// <summary>All adapters, layer by layer.</summary>
    public IReadOnlyList<AdapterState> Adapters => _adapters;

    /// <summary>
    /// Whether adapters add their terms. Off, forward computes what the base does, from the next call on, as a reference model does for preference
    /// losses; training needs them on.
    /// </summary>
    /// <exception cref="InvalidOperationException">A method changed the base, so that its logits are not those without the adapters.</exception>
    public bool AdaptersEnabled
    {
        get => _adaptersEnabled;
        set
        {
            if (!value && _adapters.FirstOrDefault(a => a.KeepsOn is not null) is { } kept)
            {
                throw new InvalidOperationException($"the adapters of {Tables.Name} cannot be switched off: {kept.KeepsOn} (adapter {kept.Path})");
            }

            _adaptersEnabled = value;
            foreach (AdapterState adapter in _adapters)
            {
                adapter.Enabled = value;
            }
        }
    }

    /// <summary>Where the base's weights were loaded from; null where they were not.</summary>
    public IBaseWeights? Base { get; set; }

    /// <summary>Tokens of the current micro-step.</summary>
    public int Tokens => _batch * _sequence;

    /// <summary>Rows of one chunk of the loss.</summary>
    public int ChunkRows => Math.Min(Plan.Sizes.Rows, Tokens);

    /// <summary>What is kept from forward for backward.</summary>
    public Checkpointing Checkpointing => Plan.Checkpointing;

    /// <summary>What backward of a layer finds kept: by the plan, or, with block checkpointing, all of its segment but the highest's values, recomputed.</summary>
    protected Checkpointing PolicyOf(int layer) => Plan.Stack.PolicyOf(layer, Plan.Checkpointing);

    /// <summary>Positions of the current micro-step that have a target; the loss costs nothing for the others.</summary>
    public int TargetCount { get; private set; }

    /// <summary>The summed loss since it was last zeroed.</summary>
    public Tensor LossSum => Plan.Scalars.Handle().Slice(0, 1);

    /// <summary>The squared norm of the gradients.</summary>
    public Tensor GradientNorm => Plan.Scalars.Handle().Slice(1, 1);

    /// <summary>The last residual stream, [tokens, width].</summary>
    public Tensor Hidden => TokenBuffer(Plan.Stack.Hidden, Plan.Tables.Width);

    /// <summary>The gradient of the residual stream, [tokens, width]; none where nothing below the loss is trained, and when generating.</summary>
    public Tensor ResidualGradient => Plan.ResidualGradient.Rows == 0 ? Tensor.None : TokenBuffer(Plan.ResidualGradient.Offset, Plan.Tables.Width);

    /// <summary>
    /// A micro-step of training: forward, loss and backward, with dropout. Adds to <see cref="LossSum"/> and to the gradients of the trainable parameters.
    /// </summary>
    /// <inheritdoc cref="BeginStep(in Backends.Step, ReadOnlySpan{int}, ReadOnlySpan{int}, bool)" path="/exception"/>
    public void Step(in TokenBatch batch)
    {
        BeginStep(batch.Scalars, batch.Ids, batch.Targets, training: true);
        Forward();
        Loss(backward: true);
        Backward();
    }

    /// <summary>A micro-step of evaluation: forward and loss, without dropout.</summary>
    /// <returns>The loss, summed over the targets.</returns>
    /// <inheritdoc cref="BeginStep(in Backends.Step, ReadOnlySpan{int}, ReadOnlySpan{int}, bool)" path="/exception"/>
    public double Evaluate(in TokenBatch batch)
    {
        BeginStep(batch.Scalars, batch.Ids, batch.Targets, training: false);
        Backend.Zero(LossSum);
        Forward();
        Loss(backward: false);
        return Backend.Read(LossSum);
    }

    /// <summary>Starts a micro-step of training or evaluation; batch and sequence may be smaller than planned.</summary>
    /// <param name="step">Its scalars.</param>
    /// <param name="ids">Token ids, sequence after sequence.</param>
    /// <param name="targets">The id to predict at each position; below 0, such as <see cref="Data.Example.IgnoreIndex"/>, where there is none.</param>
    /// <param name="training">Whether dropout is on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is empty, larger than the plan, or leaves the context.</exception>
    /// <exception cref="ArgumentException">The step has not one id and target for each of its tokens, or the plan is for generation.</exception>
    /// <exception cref="InvalidOperationException">The step trains adapters that are switched off.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal void BeginStep(in Step step, ReadOnlySpan<int> ids, ReadOnlySpan<int> targets, bool training)
    {
        if (training && !_adaptersEnabled)
        {
            throw new InvalidOperationException($"the adapters of {Tables.Name} are switched off and would not learn; set AdaptersEnabled");
        }

        if (Plan.Decodes)
        {
            throw new ArgumentException($"{Tables.Name} is planned for generation, which has no targets; plan it with ForTraining");
        }

        if (targets.Length != ids.Length)
        {
            throw new ArgumentException($"{ids.Length} ids have {targets.Length} targets; give each id one, {Data.Example.IgnoreIndex} where nothing is to be predicted", nameof(targets));
        }

        Begin(step, ids, training);
        TargetCount = 0;
        for (int row = 0; row < targets.Length; row++)
        {
            if (targets[row] >= 0)
            {
                _lossRows[TargetCount] = row;
                _lossTargets[TargetCount++] = targets[row];
            }
        }

        if (TargetCount > 0)
        {
            Backend.Write(Plan.LossRows.Handle().Slice(0, TargetCount), _lossRows.AsSpan(0, TargetCount));
            Backend.Write(Plan.Targets.Handle().Slice(0, TargetCount), _lossTargets.AsSpan(0, TargetCount));
        }
    }

    /// <summary>Starts a step of generation; batch and sequence may be smaller than planned.</summary>
    /// <param name="step">Its scalars.</param>
    /// <param name="ids">Token ids, sequence after sequence.</param>
    /// <exception cref="ArgumentOutOfRangeException">The step is empty, larger than the plan, or leaves the cache.</exception>
    /// <exception cref="ArgumentException">The step has not one id for each of its tokens, or the plan is for training.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public void BeginStep(in Step step, ReadOnlySpan<int> ids)
    {
        if (!Plan.Decodes)
        {
            throw new ArgumentException($"{Tables.Name} is planned for training, whose steps have targets; give them, or plan it with ForGeneration");
        }

        Begin(step, ids, training: false);
    }

    /// <summary>Ids to the last residual stream, in <see cref="Hidden"/>.</summary>
    internal void Forward() => Forward(decode: false);

    /// <summary>
    /// Adds the loss of all rows with a target to <see cref="LossSum"/>; with <paramref name="backward"/> also leaves its gradient in
    /// <see cref="ResidualGradient"/>. Logits exist for one chunk of these rows at a time, never for all tokens.
    /// </summary>
    internal void Loss(bool backward)
    {
        if (backward && Plan.ResidualGradient.Rows > 0)
        {
            // Rows without a target keep it.
            Backend.Zero(ResidualGradient);
        }

        for (int row = 0; row < TargetCount; row += ChunkRows)
        {
            LossOfChunk(row, backward);
        }
    }

    /// <summary>From <see cref="ResidualGradient"/> down, adding to the trainable parameters' gradients.</summary>
    internal void Backward() => BackwardLayers();

    /// <summary>Generation: ids to the last residual stream, over the caches.</summary>
    public void Decode() => Forward(decode: true);

    /// <summary>Generation: logits of some rows of <see cref="Hidden"/>, at most as many as the plan's batch.</summary>
    /// <param name="firstRow">First row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <returns>The logits, [rows, vocabulary].</returns>
    public abstract Tensor Logits(int firstRow, int rows);

    /// <summary>The values of a whole parameter, row by row.</summary>
    public float[] Read(Parameter parameter)
    {
        var values = new float[parameter.Value.Count];
        Backend.Read(parameter.Value, values);
        return values;
    }

    /// <summary>
    /// A weight of the base before the plan's storage rounded or quantized it and before a start changed it: as it is stored where it was loaded from.
    /// Where it was not loaded it is what the model holds.
    /// </summary>
    /// <exception cref="ModelCompilerException">The stored weight is quantized already, or cannot be read any more.</exception>
    internal float[] ReadOriginal(Parameter parameter)
    {
        if (Base is { } stored)
        {
            return stored.ReadOriginal(parameter.Info, parameter.Layer);
        }

        var values = new float[parameter.Value.Count];
        new HostRows(Backend, parameter.Value).Read(0, values);
        return values;
    }

    /// <summary>Lets adapters of nested ranks (DyLoRA) compute with their first directions only, from the next step on; others stay as they are.</summary>
    /// <param name="rank">How many directions; those of an adapter with fewer are all used.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rank is below 1.</exception>
    public void UseRank(int rank)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        if (rank == _rank)
        {
            return;
        }

        foreach (AdapterState adapter in _adapters)
        {
            adapter.Use(Math.Min(rank, adapter.Rank));
        }

        _rank = rank;
        Resize(_batch, _sequence);
    }

    /// <summary>Makes frames anew after ranks moved.</summary>
    internal void TakeRanks()
    {
        _handles.Clear();
        Resize(_batch, _sequence);
    }

    /// <summary>Sets all gradients to zero.</summary>
    public void ZeroGradients()
    {
        foreach (Parameter parameter in _parameters)
        {
            if (!parameter.Gradient.IsNone)
            {
                Backend.Zero(parameter.Gradient);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        Backend.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Token ids of the current micro-step, [tokens, 1].</summary>
    protected Tensor TokenIds => Plan.Ids.Handle() with { Rows = Tokens };

    /// <summary>The parameter of a table row, in a layer where every layer has one.</summary>
    protected Parameter At(int row, int layer = -1) =>
        _parameters[_firstOfRow[row] + Math.Max(0, Tables.Parameters[row].Layers?.IndexOf(layer) ?? layer)];

    /// <summary>Keeps an adapter the generated code made.</summary>
    protected TAdapter Register<TAdapter>(TAdapter adapter)
        where TAdapter : AdapterState
    {
        adapter.FirstRank = Plan.Sizes.Ranks[adapter.Index];
        _adapters.Add(adapter);
        return adapter;
    }

    /// <summary>The frame of a layer in forward.</summary>
    protected Frame ForwardFrameAt(int layer) => new(_forward[layer], Plan.Stack.Forward[layer].Base, ResidualGradient);

    /// <summary>The frame of a layer in backward.</summary>
    protected Frame BackwardFrameAt(int layer) => new(_backward[layer], Plan.Stack.Backward[layer].Base, ResidualGradient);

    /// <summary>Runs forward again for the layers that are recomputed before the backward of a layer: with block checkpointing, those below it in its segment.</summary>
    protected void RecomputeBelow(int layer)
    {
        for (int below = Plan.Stack.FirstRecomputed(layer); below < layer; below++)
        {
            RecomputeLayer(below);
        }
    }

    /// <summary>Ids to the last residual stream.</summary>
    /// <param name="decode">Whether attention reads and extends the caches, as in generation.</param>
    protected abstract void Forward(bool decode);

    /// <summary>From <see cref="ResidualGradient"/> down, adding to the trainable parameters' gradients.</summary>
    protected abstract void BackwardLayers();

    /// <summary>The loss of one chunk of the rows that have a target.</summary>
    /// <param name="firstRow">Place of its first row among them.</param>
    /// <param name="backward">Whether its gradient is wanted too.</param>
    protected abstract void LossOfChunk(int firstRow, bool backward);

    /// <summary>Forward of a layer that backward reaches, again, in its frame of backward.</summary>
    protected virtual void RecomputeLayer(int layer) => throw new InvalidOperationException($"backward of {Tables.Name} reaches no layer");

    /// <summary>The frame of the prologue.</summary>
    protected Frame PrologueFrameAt() => new(_prologue, (Tables.Layers == 0 ? Plan.Stack.Hidden : Plan.Stack.Forward[0].Input) - Plan.Prologue.OutputOffset, ResidualGradient);

    /// <summary>The frame of a chunk of the loss.</summary>
    /// <param name="first">Place of its first row among the rows that have a target.</param>
    protected Frame LossFrameAt(int first)
    {
        int rows = Math.Min(ChunkRows, TargetCount - first);
        return new Frame(_top, Plan.TopBase, ResidualGradient)
        {
            Hidden = Hidden,
            LossRows = Plan.LossRows.Handle().Slice(first, rows),
            Targets = Plan.Targets.Handle().Slice(first, rows),
            FirstRow = first,
            Rows = rows,
        };
    }

    /// <summary>The frame of the head.</summary>
    protected Frame HeadFrameAt(int firstRow, int rows) =>
        new(_top, Plan.TopBase, Tensor.None) { Hidden = Hidden.Slice(firstRow, rows), FirstRow = firstRow, Rows = rows };

    /// <summary>A cache of keys (even) or values (odd) of a layer.</summary>
    protected Tensor Cache(int layer, int index) => Plan.Caches[layer * 2 * Tables.CacheWidths.Length + index].Handle();

    /// <summary>The key of a slot's dropout mask in this micro-step.</summary>
    protected ulong DropoutKey(AdapterState adapter) => _step.Key(adapter.Layer, adapter.Index);

    private void Begin(in Step step, ReadOnlySpan<int> ids, bool training)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        step.Check();
        if (step.Batch > Plan.Sizes.Batch || step.Sequence > Plan.Sizes.Sequence)
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), $"a step of {step.Batch} x {step.Sequence} tokens is larger than the plan's {Plan.Sizes.Batch} x {Plan.Sizes.Sequence}");
        }

        int positions = Plan.Decodes ? Plan.Sizes.CacheRows / Plan.Sizes.Batch : Tables.Context;
        if (step.Position > positions - step.Sequence)
        {
            throw new ArgumentOutOfRangeException(
                nameof(step), $"a step of {step.Sequence} tokens at position {step.Position} ends after the {(Plan.Decodes ? "cache" : "context")} of {positions} positions");
        }

        if (ids.Length != step.Batch * step.Sequence)
        {
            throw new ArgumentException($"a step of {step.Batch} x {step.Sequence} tokens got {ids.Length} ids", nameof(ids));
        }

        if (step.Batch != _batch || step.Sequence != _sequence)
        {
            Resize(step.Batch, step.Sequence);
        }

        _step = step;
        Backend.BeginStep(step);
        Backend.Write(TokenIds, ids);
        foreach (AdapterState adapter in _adapters)
        {
            adapter.DropoutRate = training ? adapter.Slot.Dropout : 0;
        }
    }

    private void Resize(int batch, int sequence)
    {
        (_batch, _sequence) = (batch, sequence);
        _prologue = Handles(Plan.Prologue, -1, batch, sequence);
        for (int layer = 0; layer < _forward.Length; layer++)
        {
            _forward[layer] = Handles(Plan.Stack.Forward[layer].Plan, layer, batch, sequence);
            _backward[layer] = Handles(Plan.Stack.Backward[layer].Plan, layer, batch, sequence);
        }

        _top = Handles(Plan.Top, -1, Plan.Sizes.Batch, Plan.Sizes.Sequence);
    }

    /// <summary>A frame's handles at these sizes; made once, so that a step allocates nothing.</summary>
    private FrameHandles Handles(FramePlan frame, int layer, int batch, int sequence)
    {
        // Layers share a frame's plan where all their ranks are the same and stay so.
        var key = (frame, Packed is null ? -1 : layer, batch, sequence, _rank);
        if (!_handles.TryGetValue(key, out FrameHandles? handles))
        {
            Sizes planned = Plan.Sizes.In(layer);
            int[] ranks = [.. planned.Ranks];
            foreach (AdapterState adapter in _adapters)
            {
                // No lambda: it would be allocated in every call, whether there are handles already or not.
                ranks[adapter.Index] = adapter.Layer == layer ? adapter.ActiveRank : ranks[adapter.Index];
            }

            handles = new FrameHandles(frame, planned with { Batch = batch, Sequence = sequence, Ranks = ranks }, Plan.Profile);
            _handles.Add(key, handles);
        }

        return handles;
    }

    private Tensor TokenBuffer(long offset, int columns) =>
        new(offset, Tokens, columns, Plan.Profile.RowStride(columns, Plan.Profile.Activation), Plan.Profile.Activation);
}
