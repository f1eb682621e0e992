using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler;

/// <summary>One variant of the block: which adapters it has and how far backward goes through it.</summary>
/// <param name="Name">Its name in generated code.</param>
/// <param name="FirstLayer">First layer of the run of layers that use it.</param>
/// <param name="LastLayer">Last layer of that run.</param>
/// <param name="None">Operations and frame when everything is kept.</param>
/// <param name="Selective">Operations and frame when cheap values are recomputed.</param>
/// <param name="Pass">Operations and frame of a forward that saves nothing.</param>
/// <param name="Recompute">Operations and frame of a backward that recomputes all of forward from the layer's input.</param>
/// <param name="Decode">Operations and frame for generation.</param>
public sealed record BlockVariant(
    string Name, int FirstLayer, int LastLayer, FrameDraft None, FrameDraft Selective, FrameDraft Pass, FrameDraft Recompute, FrameDraft Decode);

/// <summary>A model after all passes: what the writers print and the planner plans.</summary>
public sealed record CompiledModel(
    ModelSpec Spec,
    Network Network,
    AdaptedProjection[] Slots,
    BlockVariant[] Variants,
    FrameDraft Prologue,
    FrameDraft Loss,
    FrameDraft Head,
    int[] CacheWidths);

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
        int lowest = full ? 0 : inBlock.Length == 0 ? spec.Block.Repeat : inBlock.Min(s => s.Row.FirstLayer);

        var starts = new SortedSet<int>(inBlock.Select(s => s.Row.FirstLayer)) { 0 };
        if (!full && lowest < spec.Block.Repeat - 1)
        {
            starts.Add(lowest + 1);
        }

        int[] cacheWidths = [];
        var variants = new List<BlockVariant>();
        int[] order = starts.Where(s => s < spec.Block.Repeat).ToArray();
        for (int i = 0; i < order.Length; i++)
        {
            int first = order[i];
            int last = i + 1 < order.Length ? order[i + 1] - 1 : spec.Block.Repeat - 1;
            AdaptedProjection[] active = inBlock.Where(s => s.Row.FirstLayer <= first).ToArray();
            string name = i == order.Length - 1 ? "Layer" : first < lowest ? "FrozenLayer" : first == lowest ? "LowestLayer" : $"Layer{first}";
            bool backward = first >= lowest;
            bool inputGradient = first > lowest || full;
            Region forward = UniqueNames.Run(FuseAccumulate.Run(InsertAdapters.Run(network.Block, active, training: true)));
            (Region serving, cacheWidths) = Decode.Run(UniqueNames.Run(FuseAccumulate.Run(InsertAdapters.Run(network.Block, active, training: false))));
            (Region Forward, Region? Backward) selective = Train(forward, backward, inputGradient, Checkpointing.Selective);
            variants.Add(new BlockVariant(
                name,
                first,
                last,
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
