namespace ModelCompiler.Planning;

/// <summary>
/// Lays out one arena: parameters, gradients, moments, inputs, workspace, and above them a stack of frames, one a layer. While a
/// layer runs, nothing above its own frame is live, so one frame is planned per variant and stacked.
/// </summary>
public static class MemoryPlanner
{
    /// <summary>Plans training: forward, backward and optimizer step.</summary>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    public static Plan Train(ModelTables tables, TrainingPlan options, BackendProfile profile)
    {
        Sizes sizes = options.SizesFor(tables);
        return new Layout(tables, options, sizes, profile, decodes: false).Build();
    }

    /// <summary>What <see cref="Train"/> would take, without saying where: <see cref="Plan.Cost"/> to the byte, at a fraction of its time.</summary>
    /// <exception cref="ArgumentException">A number of the plan is out of range for the model.</exception>
    public static MemoryCost Cost(ModelTables tables, TrainingPlan options, BackendProfile profile)
    {
        options.SizesFor(tables);
        return new PlanCosts(tables, profile).Of(options);
    }

    /// <summary>Plans generation.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="batch">Sequences generated side by side.</param>
    /// <param name="capacity">Positions of the cache.</param>
    /// <param name="prefill">Most tokens of a sequence taken at once.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="ranks">The rank of every adapter instead of the declared ones.</param>
    /// <exception cref="ArgumentException">A number is out of range for the model.</exception>
    public static Plan Decode(ModelTables tables, int batch, int capacity, int prefill, BackendProfile profile, RankPattern? ranks = null)
    {
        var options = new TrainingPlan { Batch = batch, Sequence = capacity, Ranks = ranks, Checkpointing = Checkpointing.None };
        Sizes sizes = options.SizesFor(tables) with
        {
            Sequence = Math.Min(prefill, capacity),
            Rows = batch,
            CacheRows = batch * capacity,
        };
        return new Layout(tables, options, sizes, profile, decodes: true).Build();
    }

    private sealed class Layout(ModelTables tables, TrainingPlan options, Sizes sizes, BackendProfile profile, bool decodes)
    {
        private readonly ArenaCursor _arena = new(profile);
        private Placement[] _pageBuffers = [];
        private PackedRegions? _packed;

        public Plan Build()
        {
            ParameterPlan[] parameters = PlaceParameters(out long frozen, out long adapters, out long gradients, out long moments);
            long start = _arena.End;
            Placement ids = _arena.Place(sizes.Tokens, 1, DType.Int32);
            Placement lossRows = decodes ? default : _arena.Place(sizes.Tokens, 1, DType.Int32);
            Placement targets = decodes ? default : _arena.Place(sizes.Tokens, 1, DType.Int32);
            Placement scalars = _arena.Place(2, 1, profile.Compute);
            long inputs = _arena.End - start;
            var workspace = new MemoryRange(_arena.End, profile.Workspace + OperandScratch.Bytes(tables, options, sizes, profile));
            _arena.End += workspace.Bytes;

            start = _arena.End;
            var frames = new StepFrames(tables, options, sizes, profile, decodes);
            Placement[] caches = decodes ? PlaceCaches() : [];
            StackedStep step = frames.Stack(_arena.End, options.Checkpointing, options.CheckpointEvery);
            var activations = new MemoryRange(start, step.End - start);
            var widening = new MemoryRange(step.End, frames.WidenedBytes(step.Layers));
            StepWork work = decodes ? StepWork.Decode(tables) : StepWork.Train(tables, options.Checkpointing, options.CheckpointEvery);

            return new Plan
            {
                Tables = tables,
                Profile = profile,
                Sizes = sizes,
                Decodes = decodes,
                Checkpointing = options.Checkpointing,
                Optimizer = options.Optimizer,
                PageElements = options.PageElements,
                PageBuffers = _pageBuffers,
                Cost = new MemoryCost(frozen, adapters, gradients, moments, activations.Bytes, workspace.Bytes + widening.Bytes, inputs, profile.OverheadOf(tables, adapters), _arena.PagedEnd),
                Parameters = parameters,
                Packed = _packed,
                Ids = ids,
                LossRows = lossRows,
                Targets = targets,
                Scalars = scalars,
                Activations = activations,
                ResidualGradient = step.ResidualGradient is { } gradient ? new Placement(gradient, sizes.Tokens, tables.Width, profile.Activation) : default,
                Caches = caches,
                Workspace = workspace,
                Widening = widening,
                Stack = step.Layers,
                Prologue = frames.Prologue,
                Top = frames.Top,
                TopBase = step.TopBase,
                FlopsPerMicroStep = work.Flops(sizes),
            };
        }

        private ParameterPlan[] PlaceParameters(out long frozen, out long adapters, out long gradients, out long moments)
        {
            var all = tables.Parameters.SelectMany(row => tables.LayersOf(row).Select(layer => (row, layer))).ToArray();
            var values = new Placement[all.Length];
            var gradient = new Placement[all.Length];
            var moment = new MomentPlan[all.Length];
            int[] moving = Enumerable.Range(0, all.Length).Where(i => Moves(all[i].row)).ToArray();
            (ParameterInfo, int)[] packed = moving.Select(i => (all[i].row, all[i].layer)).ToArray();
            long[] offsets = RankPacking.Offsets(packed, sizes, profile);
            long room = packed.Length == 0 ? 0 : RankPacking.Capacity(tables, packed, sizes, profile);
            long start = _arena.End;
            PlaceWhere(all, values, r => r.IsFrozenWeight);
            frozen = _arena.End - start;
            start = _arena.End;
            PlaceWhere(all, values, r => !r.IsFrozenWeight && !(decodes && r.TrainingOnly) && !Moves(r));
            long packedValues = Pack(all, values, moving, offsets, room);
            adapters = _arena.End - start;
            start = _arena.End;
            if (!decodes)
            {
                PlaceWhere(all, gradient, r => r.Trainable && !Moves(r));
            }

            long packedGradients = Pack(all, gradient, moving, offsets, room);
            gradients = _arena.End - start;
            start = _arena.End;
            for (int i = 0; i < all.Length && !decodes; i++)
            {
                moment[i] = all[i].row.Trainable && !Moves(all[i].row) ? _arena.PlaceMoments(options, all[i].row, values[i]) : default;
            }

            var (first, second) = (new Placement[all.Length], new Placement[all.Length]);
            _packed = packed.Length == 0 ? null : new PackedRegions(
                packedValues, packedGradients, Pack(all, first, moving, offsets, room), Pack(all, second, moving, offsets, room), room);
            foreach (int i in moving)
            {
                moment[i] = new MomentPlan(MomentStorage.Full, first[i], second[i], Rule: options.RuleOf(all[i].row));
            }

            _pageBuffers = _arena.PlacePageBuffers(options, moment);
            moments = _arena.End - start;
            return all.Select((p, i) => new ParameterPlan(p.row, p.layer, values[i], gradient[i], moment[i])).ToArray();
        }

        private bool Moves(ParameterInfo row) => !decodes && options.Moves(tables, row);

        /// <summary>Places parameters with moving ranks one after the other in a region of their own; returns where it begins.</summary>
        private long Pack((ParameterInfo Row, int Layer)[] all, Placement[] places, int[] moving, long[] offsets, long room)
        {
            long start = _arena.End;
            for (int i = 0; i < moving.Length; i++)
            {
                (ParameterInfo row, int layer) = all[moving[i]];
                Sizes own = sizes.In(layer);
                places[moving[i]] = new Placement(start + offsets[i], row.Rows.Evaluate(own), row.Columns.Evaluate(own), profile.Compute);
            }

            _arena.End += room;
            return start;
        }

        private void PlaceWhere((ParameterInfo Row, int Layer)[] all, Placement[] places, Func<ParameterInfo, bool> wanted)
        {
            for (int i = 0; i < all.Length; i++)
            {
                if (wanted(all[i].Row))
                {
                    places[i] = _arena.PlaceValue(options, all[i].Row, sizes.In(all[i].Layer));
                }
            }
        }

        private Placement[] PlaceCaches()
        {
            var caches = new List<Placement>();
            for (int layer = 0; layer < tables.Layers; layer++)
            {
                foreach (int width in tables.CacheWidths)
                {
                    caches.Add(_arena.Place(sizes.CacheRows, width, profile.Activation));
                    caches.Add(_arena.Place(sizes.CacheRows, width, profile.Activation));
                }
            }

            return caches.ToArray();
        }
    }
}
