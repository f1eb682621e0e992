using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler;

/// <summary>Finds the variants of the block and runs the passes for each.</summary>
public static class Pipeline
{
    /// <summary>Runs all passes.</summary>
    /// <param name="spec">The description.</param>
    /// <param name="inPlace">Whether values may share buffers; off only to prove that sharing changes nothing.</param>
    public static CompiledModel Run(ModelSpec spec, bool inPlace = true)
    {
        Network network = Lower.Run(spec);
        AdaptedProjection[] slots = InsertAdapters.Slots(spec, network);
        AdaptedProjection[] inBlock = slots.Where(s => s.Projection.PerLayer).ToArray();
        bool full = spec.Recipe is null;
        int layers = spec.Block.Repeat;
        int lowest = full ? 0 : inBlock.Select(static s => s.Row.Layers?.First ?? 0).DefaultIfEmpty(layers).Min();

        int[] cacheWidths = [];
        var variants = new List<BlockVariant>();
        foreach ((LayerSet run, Region block, AdaptedProjection[] active) in Variants(network, inBlock, layers, full ? -1 : lowest))
        {
            bool backward = run.First >= lowest;
            bool inputGradient = run.First > lowest || full;
            string name = run.Last == layers - 1 ? "Layer" : !backward ? Numbered("FrozenLayer", run.First) : run.First == lowest && !full ? "LowestLayer" : $"Layer{run.First}";
            Region forward = UniqueNames.Run(FuseAccumulate.Run(InsertAdapters.Run(block, active, training: true)));
            (Region serving, cacheWidths) = Decode.Run(UniqueNames.Run(FuseAccumulate.Run(InsertAdapters.Run(block, active, training: false))));
            (Region Forward, Region? Backward) selective = Train(forward, backward, inputGradient, Checkpointing.Selective);
            variants.Add(new BlockVariant(
                name,
                run,
                Draft(Train(forward, backward, inputGradient, Checkpointing.None)),
                Draft(selective),
                Draft((selective.Forward, null)),
                Draft((new Region([], forward.Input, null), Train(forward, backward, inputGradient, Checkpointing.Block).Backward)),
                Serving("Decode" + name, serving, carried: true, inPlace, slots.Length)));

            FrameDraft Draft((Region Forward, Region? Backward) step) => Finish(name, step.Forward, step.Backward, carried: true, inPlace, slots.Length);
        }

        AdaptedProjection[] head = slots.Where(s => !s.Projection.PerLayer).ToArray();
        FrameDraft prologue = Prologue(network.Prologue, full, inPlace, slots.Length);
        FrameDraft loss = Loss(InsertAdapters.Run(network.Loss, head, training: true), lowest < spec.Block.Repeat, inPlace, slots.Length);
        FrameDraft logits = Serving("Head", Decode.Head(InsertAdapters.Run(network.Loss, head, training: false)), carried: false, inPlace, slots.Length);
        return new CompiledModel(spec, network, slots, variants.ToArray(), prologue, loss, logits, cacheWidths);
    }

    /// <summary>Layers are of one variant that have the same block and adapters and the same part in backward: none, the lowest, or one that passes the gradient on.</summary>
    private static IEnumerable<(LayerSet Layers, Region Block, AdaptedProjection[] Active)> Variants(Network network, AdaptedProjection[] adapters, int layers, int lowest) =>
        from layer in Enumerable.Range(0, layers)
        let block = Array.FindIndex(network.Blocks, b => b.Layers.Contains(layer))
        let active = adapters.Where(a => a.Row.Layers?.Contains(layer) != false).ToArray()
        group (layer, active) by (block, layer.CompareTo(lowest), string.Join(" ", active.Select(static a => a.Slot.Index))) into run
        select (LayerSet.Of(run.Select(static r => r.layer)), network.Blocks[run.Key.block].Region, run.First().active);

    private static string Numbered(string name, int layer) => layer == 0 ? name : FormattableString.Invariant($"{name}{layer}");

    private static (Region Forward, Region? Backward) Train(Region forward, bool needsBackward, bool inputGradient, Checkpointing policy)
    {
        Region? backward = null;
        if (needsBackward)
        {
            var incoming = new Value("ResidualGradient", forward.Output!.Shape, ValueKind.Carried);
            (Region differentiated, backward) = Prune.Run(forward, Differentiate.Run(forward, incoming), inputGradient);
            if (backward is not null)
            {
                backward = Rematerialize.Run(differentiated, backward, policy);
            }
        }

        return Prune.Run(forward, backward, inputGradient);
    }

    private static FrameDraft Prologue(Region prologue, bool trains, bool inPlace, int slots)
    {
        Region? backward = null;
        if (trains)
        {
            var incoming = new Value("ResidualGradient", prologue.Output!.Shape, ValueKind.Carried);
            backward = Differentiate.Run(prologue, incoming);
        }

        (prologue, backward) = Prune.Run(prologue, backward, wantsInputGradient: false);
        return Finish("Prologue", prologue, backward, carried: true, inPlace, slots);
    }

    private static FrameDraft Loss(Region loss, bool inputGradient, bool inPlace, int slots)
    {
        Region region = loss with { Output = null };
        Region? backward = Differentiate.Run(region, null);
        (Region differentiated, backward) = Prune.Run(region, backward, inputGradient);
        if (backward is not null)
        {
            // Dropout alone is recomputed: within one chunk everything else is still at hand.
            backward = Rematerialize.Run(differentiated, backward, Checkpointing.None);
        }

        (region, backward) = Prune.Run(region, backward, inputGradient);
        return Finish("Loss", region, backward, carried: false, inPlace, slots);
    }

    private static FrameDraft Serving(string name, Region region, bool carried, bool inPlace, int slots)
    {
        (region, _) = Prune.Run(region, null, wantsInputGradient: false);
        return Finish(name, region, null, carried, inPlace, slots);
    }

    private static FrameDraft Finish(string name, Region forward, Region? backward, bool carried, bool inPlace, int slots)
    {
        Op[] backwardOps = backward?.Ops ?? [];
        Value? output = forward.Output;
        Op[] fusedForward = FuseKernels.Run(forward.Ops, v => ReferenceEquals(v, output) || backwardOps.Any(o => o.Reads.Contains(v)));
        Op[] fusedBackward = FuseRecomputed.Run(FuseKernels.Run(backwardOps, v => ReferenceEquals(v, backward?.Output)));
        return AssignBuffers.Run(
            name,
            forward with { Ops = fusedForward },
            backward is null ? null : backward with { Ops = fusedBackward },
            carried,
            inPlace,
            slots);
    }
}
