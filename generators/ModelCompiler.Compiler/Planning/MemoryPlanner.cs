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
        return new Layout(tables, options, sizes, profile, serves: false).Build();
    }

    /// <summary>Plans generation.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="batch">Sequences generated side by side.</param>
    /// <param name="capacity">Positions of the cache.</param>
    /// <param name="prefill">Most tokens of a sequence taken at once.</param>
    /// <param name="profile">The backend.</param>
    /// <param name="ranks">The rank of every adapter instead of the declared ones.</param>
    /// <exception cref="ArgumentException">A number is out of range for the model.</exception>
    public static Plan Serve(ModelTables tables, int batch, int capacity, int prefill, BackendProfile profile, RankPattern? ranks = null)
    {
        var options = new TrainingPlan { Batch = batch, Sequence = capacity, Ranks = ranks, Checkpointing = Checkpointing.None };
        Sizes sizes = options.SizesFor(tables) with
        {
            Sequence = Math.Min(prefill, capacity),
            Rows = batch,
            CacheRows = batch * capacity,
        };
        return new Layout(tables, options, sizes, profile, serves: true).Build();
    }

    private sealed class Layout(ModelTables tables, TrainingPlan options, Sizes sizes, BackendProfile profile, bool serves)
    {
        private readonly bool _share = options.ShareMemory;
        private long _end;
        private long _pagedEnd;
        private Placement[] _pageBuffers = [];
        private PackedRegions? _packed;

        public Plan Build()
        {
            ParameterPlan[] parameters = PlaceParameters(out long frozen, out long adapters, out long gradients, out long moments);
            long start = _end;
            Placement ids = Place(sizes.Tokens, 1, DType.Int32);
            Placement lossRows = serves ? default : Place(sizes.Tokens, 1, DType.Int32);
            Placement targets = serves ? default : Place(sizes.Tokens, 1, DType.Int32);
            Placement scalars = Place(2, 1, profile.Compute);
            long inputs = _end - start;

            start = _end;
            long workspaceBytes = profile.Workspace;
            long workspace = _end;
            _end += workspaceBytes;
            long workspaceTerm = _end - start;

            start = _end;
            Placement[] caches = serves ? PlaceCaches() : [];
            long stack = _end;
            FramePlan prologue = FramePlanner.Plan(tables.Prologue, sizes, profile, share: _share);
            DType saved = options.SavedOn(profile);
            var stacking = new FrameStacking(tables, RoomIn, sizes.Pattern is null, profile, saved, _share);
            FrameStack frames = serves
                ? stacking.Serve(stack + prologue.OutputOffset)
                : stacking.Train(stack + prologue.OutputOffset, options.Checkpointing, options.CheckpointEvery);
            long topBase = frames.Hidden + PaddedTokens(tables.Width);
            FramePlan top = FramePlanner.Plan(serves ? tables.Head : tables.Loss, RoomIn(-1), profile, share: _share);
            long forwardPeak = Math.Max(stack + prologue.Peak, frames.Peak);

            // The gradient of the residual stream comes into being with the loss: it may lie where only forward reaches, above all that backward uses.
            _end = Math.Max(topBase + top.Peak, _share ? Math.Max(stack + prologue.BackwardPeak, frames.BackwardPeak) : forwardPeak);
            bool hasGradient = !serves && tables.Loss.Rows.Any(static r => r.Kind == RowKind.ResidualGradient);
            Placement residualGradient = hasGradient ? PlaceToken(tables.Width) : default;
            _end = Math.Max(_end, forwardPeak);
            var activations = new MemoryRange(start, _end - start);
            var widening = new MemoryRange(_end, saved == profile.Compute ? 0 : WidenedBytes(frames));
            _end += widening.Bytes;

            return new Plan
            {
                Tables = tables,
                Profile = profile,
                Sizes = sizes,
                Serves = serves,
                Checkpointing = options.Checkpointing,
                Optimizer = options.Optimizer,
                PageElements = options.PageElements,
                PageBuffers = _pageBuffers,
                Cost = new MemoryCost(frozen, adapters, gradients, moments, activations.Bytes, workspaceTerm + widening.Bytes, inputs, profile.FixedOverhead, _pagedEnd),
                Parameters = parameters,
                Packed = _packed,
                Ids = ids,
                LossRows = lossRows,
                Targets = targets,
                Scalars = scalars,
                Activations = activations,
                ResidualGradient = residualGradient,
                Caches = caches,
                Workspace = new MemoryRange(workspace, workspaceBytes),
                Widening = widening,
                Stack = frames,
                Prologue = prologue,
                Top = top,
                TopBase = topBase,
                FlopsPerMicroStep = Flops(frames),
            };
        }

        private ParameterPlan[] PlaceParameters(out long frozen, out long adapters, out long gradients, out long moments)
        {
            var all = tables.Parameters.SelectMany(row => tables.LayersOf(row).Select(layer => (row, layer))).ToArray();
            var values = new Placement[all.Length];
            var gradient = new Placement[all.Length];
            var moment = new MomentPlan[all.Length];
            int[] moving = Enumerable.Range(0, all.Length).Where(i => Moves(all[i].row)).ToArray();
            (ParameterRow, int)[] packed = moving.Select(i => (all[i].row, all[i].layer)).ToArray();
            long[] offsets = RankPacking.Offsets(packed, sizes, profile);
            long room = packed.Length == 0 ? 0 : RankPacking.Capacity(tables, packed, sizes, profile);
            long start = _end;
            PlaceWhere(all, values, r => !r.Trainable && r.Slot < 0);
            frozen = _end - start;
            start = _end;
            PlaceWhere(all, values, r => (r.Trainable || r.Slot >= 0) && !(serves && r.TrainingOnly) && !Moves(r));
            long packedValues = Pack(all, values, moving, offsets, room);
            adapters = _end - start;
            start = _end;
            if (!serves)
            {
                PlaceWhere(all, gradient, r => r.Trainable && !Moves(r));
            }

            long packedGradients = Pack(all, gradient, moving, offsets, room);
            gradients = _end - start;
            start = _end;
            for (int i = 0; i < all.Length && !serves; i++)
            {
                moment[i] = all[i].row.Trainable && !Moves(all[i].row) ? PlaceMoments(all[i].row, values[i]) : default;
            }

            var (first, second) = (new Placement[all.Length], new Placement[all.Length]);
            _packed = packed.Length == 0 ? null : new PackedRegions(
                packedValues, packedGradients, Pack(all, first, moving, offsets, room), Pack(all, second, moving, offsets, room), room);
            foreach (int i in moving)
            {
                moment[i] = new MomentPlan(MomentStorage.Full, first[i], second[i]);
            }

            _pageBuffers = PlacePageBuffers(moment);
            moments = _end - start;
            return all.Select((p, i) => new ParameterPlan(p.row, p.layer, values[i], gradient[i], moment[i])).ToArray();
        }

        private bool Moves(ParameterRow row) => !serves && options.MoveRanks && row.Slot >= 0 && tables.Slots[row.Slot].MovingRanks;

        /// <summary>The sizes that a layer's frame must have room for.</summary>
        private Sizes RoomIn(int layer)
        {
            Sizes now = sizes.In(layer);
            return serves || !options.MoveRanks || !tables.Slots.Any(static s => s.MovingRanks)
                ? now
                : now with { Ranks = now.Ranks.Select((rank, slot) => tables.Slots[slot].MovingRanks ? tables.Slots[slot].MaximumRank : rank).ToArray() };
        }

        /// <summary>Places parameters with moving ranks one after the other in a region of their own; returns where it begins.</summary>
        private long Pack((ParameterRow Row, int Layer)[] all, Placement[] places, int[] moving, long[] offsets, long room)
        {
            long start = _end;
            for (int i = 0; i < moving.Length; i++)
            {
                (ParameterRow row, int layer) = all[moving[i]];
                Sizes own = sizes.In(layer);
                places[moving[i]] = new Placement(start + offsets[i], row.Rows.Evaluate(own), row.Columns.Evaluate(own), profile.Compute);
            }

            _end += room;
            return start;
        }

        private void PlaceWhere((ParameterRow Row, int Layer)[] all, Placement[] places, Func<ParameterRow, bool> wanted)
        {
            for (int i = 0; i < all.Length; i++)
            {
                ParameterRow row = all[i].Row;
                if (wanted(row))
                {
                    Sizes own = sizes.In(all[i].Layer);
                    places[i] = Place(row.Rows.Evaluate(own), row.Columns.Evaluate(own), options.FormatOf(row).TypeOn(profile));
                }
            }
        }

        private MomentPlan PlaceMoments(ParameterRow row, Placement value)
        {
            (int rows, int columns) = (value.Rows, value.Columns);
            long elements = (long)rows * columns;
            MomentStorage storage = options.StorageOf(row, elements);
            if (storage == MomentStorage.Full)
            {
                return new MomentPlan(storage, Place(rows, columns, value.Type), Place(rows, columns, value.Type));
            }

            if (storage == MomentStorage.Paged)
            {
                return new MomentPlan(storage, PlacePaged(rows, columns, value.Type), PlacePaged(rows, columns, value.Type));
            }

            int blocks = MomentBlock.Count(elements);
            return new MomentPlan(
                storage, Place(rows, columns, DType.UInt8), Place(rows, columns, DType.UInt8), Place(blocks, 1, profile.Compute), Place(blocks, 1, profile.Compute));
        }

        private Placement[] PlacePageBuffers(MomentPlan[] moments)
        {
            MomentPlan[] paged = moments.Where(m => m.Storage == MomentStorage.Paged).ToArray();
            if (paged.Length == 0)
            {
                return [];
            }

            int largest = paged.Max(m => Math.Min(m.First.Rows, MomentPages.RowsOf(options.PageElements, m.First.Columns)) * m.First.Columns);
            DType type = paged[0].First.Type;
            return [Place(1, largest, type), Place(1, largest, type), Place(1, largest, type), Place(1, largest, type)];
        }

        private Placement[] PlaceCaches()
        {
            var caches = new List<Placement>();
            for (int layer = 0; layer < tables.Layers; layer++)
            {
                foreach (int width in tables.CacheWidths)
                {
                    caches.Add(Place(sizes.CacheRows, width, profile.Compute));
                    caches.Add(Place(sizes.CacheRows, width, profile.Compute));
                }
            }

            return caches.ToArray();
        }

        /// <summary>Room for the Float32 copies of what one operation reads and writes of saved values in 16 bits.</summary>
        private long WidenedBytes(FrameStack frames)
        {
            long most = 0;
            FramePlan? previous = null;
            for (int layer = 0; layer < tables.Layers; layer++)
            {
                FramePlan frame = frames.Backward[layer].Plan;
                if (!ReferenceEquals(frame, previous))
                {
                    Sizes room = RoomIn(layer);
                    foreach (Dim[] widths in frame.Table.Widened)
                    {
                        most = Math.Max(most, widths.Sum(w => profile.MatrixBytes(sizes.Tokens, w.Evaluate(room), profile.Compute)));
                    }
                }

                previous = frame;
            }

            return most;
        }

        private double Flops(FrameStack stack)
        {
            Flops layers = default;
            foreach ((StackedFrame forward, StackedFrame backward) in stack.Forward.Zip(stack.Backward, static (f, b) => (f, b)))
            {
                layers += forward.Plan.Table.Forward + backward.Plan.Table.Backward;
                layers += ReferenceEquals(forward.Plan, backward.Plan) ? default : backward.Plan.Table.Forward;
            }

            FrameTable top = serves ? tables.Head : tables.Loss;
            return (layers + tables.Prologue.Forward + tables.Prologue.Backward + top.Forward + top.Backward).Evaluate(sizes.Tokens, sizes.Sequence);
        }

        private long PaddedTokens(int columns) =>
            profile.MatrixBytes(sizes.Tokens, columns, profile.Compute);

        private Placement PlaceToken(int columns)
        {
            var place = new Placement(_end, sizes.Tokens, columns, profile.Compute);
            _end += PaddedTokens(columns);
            return place;
        }

        private Placement PlacePaged(int rows, int columns, DType type)
        {
            var place = new Placement(_pagedEnd, rows, columns, type);
            _pagedEnd += profile.Align((long)rows * columns * type.Size());
            return place;
        }

        private Placement Place(int rows, int columns, DType type)
        {
            var place = new Placement(_end, rows, columns, type);
            _end += profile.Align(StorageLayout.BytesOf(type, rows, columns));
            return place;
        }
    }
}
