namespace ModelCompiler.Planning;

/// <summary>
/// What training plans of one model take on one backend, without placing anything layer by layer. Terms that plans have in common are
/// priced once, so that asking for many plans costs little more than asking for those that differ in their frames.
/// </summary>
/// <param name="tables">The model.</param>
/// <param name="profile">The backend.</param>
internal sealed class PlanCosts(ModelTables tables, BackendProfile profile)
{
    private static readonly TrainingPlan s_default = new();

    private readonly Dictionary<WeightFormat, long> _frozen = [];
    private readonly Dictionary<TrainingPlan, Trained> _trained = [];
    private readonly Dictionary<TrainingPlan, StepFrames> _frames = [];
    private readonly Dictionary<(StepFrames, Checkpointing, int), FrameBytes> _activations = [];
    private long? _declared;

    private readonly record struct Trained(long Values, long Gradients, long Moments, long Paged);

    private readonly record struct FrameBytes(long Activations, long Widened);

    /// <summary>What a plan takes.</summary>
    /// <param name="plan">A plan whose numbers are in range.</param>
    public MemoryCost Of(TrainingPlan plan)
    {
        Trained trained = TrainedOf(plan);
        FrameBytes frames = FramesOf(plan);
        return new MemoryCost(
            FrozenWeights(plan),
            trained.Values,
            trained.Gradients,
            trained.Moments,
            frames.Activations,
            profile.Workspace + OperandScratchOf(plan) + frames.Widened,
            Inputs(plan),
            profile.OverheadOf(tables, trained.Values),
            trained.Paged);
    }

    /// <summary>All terms but those of the frames: what a plan takes at least.</summary>
    /// <param name="plan">A plan whose numbers are in range.</param>
    public long WithoutFrames(TrainingPlan plan)
    {
        Trained trained = TrainedOf(plan);
        return FrozenWeights(plan) + trained.Values + trained.Gradients + trained.Moments + profile.Workspace + OperandScratchOf(plan) + Inputs(plan) + profile.OverheadOf(tables, trained.Values);
    }

    /// <summary>Bytes of the weights of the base.</summary>
    public long FrozenWeights(TrainingPlan plan)
    {
        if (plan.Storage is not { } storage)
        {
            return _declared ??= Frozen(plan);
        }

        if (!_frozen.TryGetValue(storage, out long bytes))
        {
            _frozen.Add(storage, bytes = Frozen(plan));
        }

        return bytes;
    }

    private long Frozen(TrainingPlan plan)
    {
        Sizes sizes = plan.SizesFor(tables);
        long bytes = 0;
        foreach (ParameterInfo row in tables.Parameters)
        {
            bytes += row.IsFrozenWeight ? tables.Copies(row) * ValueBytes(plan, row, sizes) : 0;
        }

        return bytes;
    }

    private Trained TrainedOf(TrainingPlan plan)
    {
        // What of a plan does not bear on these terms is left out of the key; what is added to plans is in it.
        TrainingPlan key = plan with { Batch = 1, Sequence = 1, GradientAccumulation = 1, ChunkRows = 1, Checkpointing = s_default.Checkpointing, CheckpointEvery = 1, SavedActivations = s_default.SavedActivations, Storage = null };
        if (!_trained.TryGetValue(key, out Trained trained))
        {
            _trained.Add(key, trained = PriceTrained(plan, plan.SizesFor(tables)));
        }

        return trained;
    }

    private Trained PriceTrained(TrainingPlan plan, Sizes sizes)
    {
        (long values, long gradients, long moments, long paged) = (0, 0, 0, 0);
        var packed = new List<(ParameterInfo Row, int Layer)>();
        var placed = new List<MomentPlan>();
        foreach (ParameterInfo row in tables.Parameters)
        {
            if (row.IsFrozenWeight)
            {
                continue;
            }

            if (plan.Moves(tables, row))
            {
                packed.AddRange(tables.LayersOf(row).Select(layer => (row, layer)));
                continue;
            }

            // Where ranks do not differ between layers, one layer's bytes are those of each.
            int copies = sizes.Pattern is null ? tables.Copies(row) : 1;
            foreach (int layer in tables.LayersOf(row).Take(copies > 1 ? 1 : int.MaxValue))
            {
                var arena = new ArenaCursor(profile);
                Placement value = arena.PlaceValue(plan, row, sizes.In(layer));
                long bytes = arena.End;
                values += copies * bytes;
                if (row.Trainable)
                {
                    placed.Add(arena.PlaceMoments(plan, row, value));
                    gradients += copies * bytes;
                    moments += copies * (arena.End - bytes);
                    paged += copies * arena.PagedEnd;
                }
            }
        }

        long room = packed.Count == 0 ? 0 : RankPacking.Capacity(tables, packed, sizes, profile);
        var pages = new ArenaCursor(profile);
        pages.PlacePageBuffers(plan, placed);
        return new Trained(values + room, gradients + room, moments + 2 * room + pages.End, paged);
    }

    private FrameBytes FramesOf(TrainingPlan plan)
    {
        TrainingPlan key = plan with
        {
            GradientAccumulation = 1,
            Checkpointing = s_default.Checkpointing,
            CheckpointEvery = 1,
            Optimizer = s_default.Optimizer,
            MinimumElementsFor8Bit = 1,
            MinimumElementsForPaging = 1,
            PageElements = 1,
            Storage = null,
        };
        if (!_frames.TryGetValue(key, out StepFrames? frames))
        {
            _frames.Add(key, frames = new StepFrames(tables, plan, plan.SizesFor(tables), profile, decodes: false));
        }

        (StepFrames, Checkpointing, int) policy = (frames, plan.Checkpointing, plan.CheckpointEvery);
        if (!_activations.TryGetValue(policy, out FrameBytes bytes))
        {
            StackedStep step = frames.Stack(0, plan.Checkpointing, plan.CheckpointEvery);
            _activations.Add(policy, bytes = new FrameBytes(step.End, frames.WidenedBytes(step.Layers)));
        }

        return bytes;
    }

    private long OperandScratchOf(TrainingPlan plan) => OperandScratch.Bytes(tables, plan, plan.SizesFor(tables), profile);

    private long Inputs(TrainingPlan plan)
    {
        int tokens = plan.Batch * plan.Sequence;
        return 3 * profile.Align(StorageLayout.BytesOf(DType.Int32, tokens, 1)) + profile.Align(StorageLayout.BytesOf(profile.Compute, 2, 1));
    }

    private long ValueBytes(TrainingPlan plan, ParameterInfo row, Sizes sizes)
    {
        var arena = new ArenaCursor(profile);
        arena.PlaceValue(plan, row, sizes);
        return arena.End;
    }
}
