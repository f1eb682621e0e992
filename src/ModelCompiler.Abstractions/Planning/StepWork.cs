namespace ModelCompiler.Planning;

/// <summary>What a micro-step computes and moves under a checkpointing policy, counted by the operation catalog: no plan of memory is needed for it.</summary>
public sealed class StepWork
{
    private readonly Flops _flops;
    private readonly Traffic _layers;
    private readonly Traffic _prologue;
    private readonly Traffic _top;

    private StepWork(Flops flops, Traffic layers, FrameTable prologue, FrameTable top)
    {
        _flops = flops + prologue.Forward.Flops + prologue.Backward.Flops + top.Forward.Flops + top.Backward.Flops;
        _layers = layers;
        _prologue = prologue.Forward.Traffic + prologue.Backward.Traffic;
        _top = top.Forward.Traffic + top.Backward.Traffic;
    }

    /// <summary>A micro-step of training.</summary>
    /// <param name="tables">The model.</param>
    /// <param name="policy">What is kept from forward for backward.</param>
    /// <param name="every">With block checkpointing, layers of which one input is kept.</param>
    public static StepWork Train(ModelTables tables, Checkpointing policy, int every)
    {
        Flops flops = default;
        Traffic traffic = default;
        var segments = new Segments(tables.LowestTrained, tables.Layers, every);
        for (int layer = 0; layer < tables.Layers; layer++)
        {
            VariantFrames variant = tables.Variants[tables.VariantOf(layer)];
            if (policy == Checkpointing.None)
            {
                Add(variant.None);
                continue;
            }

            if (policy == Checkpointing.Block)
            {
                Add(variant.Pass);
            }

            if (policy == Checkpointing.Selective || layer >= segments.First)
            {
                Add(policy == Checkpointing.Block && segments.IsHighest(layer) ? variant.Recompute : variant.Selective);
            }
        }

        return new StepWork(flops, traffic, tables.Prologue, tables.Loss);

        void Add(FrameTable table)
        {
            flops += table.Forward.Flops + table.Backward.Flops;
            traffic += table.Forward.Traffic + table.Backward.Traffic;
        }
    }

    /// <summary>A step of generation.</summary>
    public static StepWork Decode(ModelTables tables)
    {
        Flops flops = default;
        Traffic traffic = default;
        for (int layer = 0; layer < tables.Layers; layer++)
        {
            FrameTable table = tables.Variants[tables.VariantOf(layer)].Decode;
            flops += table.Forward.Flops;
            traffic += table.Forward.Traffic;
        }

        return new StepWork(flops, traffic, tables.Prologue, tables.Head);
    }

    /// <summary>Floating-point operations where every position has a target.</summary>
    public double Flops(Sizes sizes) => _flops.Evaluate(sizes.Tokens, sizes.Sequence, sizes.MeanRank);

    /// <summary>Bytes of activations, and of adapters with their gradients, that are read and written.</summary>
    /// <param name="sizes">The plan's sizes.</param>
    /// <param name="profile">The backend.</param>
    public double ActivationBytes(Sizes sizes, BackendProfile profile)
    {
        (int tokens, double rank) = (sizes.Tokens, sizes.MeanRank);
        double elements = (_layers + _prologue + _top).Values(tokens, rank) + (_layers + _prologue + Chunks(sizes) * _top).Adapters(rank);
        return elements * profile.Activation.Size();
    }

    /// <summary>Bytes of weights that are read, as they are stored; those of the head once for each chunk of the loss.</summary>
    /// <param name="sizes">The plan's sizes.</param>
    /// <param name="bytesInLayers">Bytes of an element of the layers' weights.</param>
    /// <param name="bytesOutside">Bytes of an element of the weights outside the layers.</param>
    public double WeightBytes(Sizes sizes, double bytesInLayers, double bytesOutside) =>
        _layers.Weights * bytesInLayers + (_prologue.Weights + Chunks(sizes) * _top.Weights) * bytesOutside;

    private static int Chunks(Sizes sizes) => (sizes.Tokens + sizes.Rows - 1) / sizes.Rows;
}
