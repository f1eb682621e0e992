using ModelCompiler.Adapters;

namespace ModelCompiler.Planning;

/// <summary>One parameter, or one in every layer.</summary>
/// <param name="Path">Path of its typed property, inside its layer where it is in one: "Attention.Query.Weight". No other parameter has it.</param>
/// <param name="Rows">Rows (1 for vectors).</param>
/// <param name="Columns">Columns.</param>
/// <param name="Format">How it is stored.</param>
/// <param name="PerLayer">Whether layers have one each.</param>
/// <param name="Trainable">Whether it has a gradient and optimizer state.</param>
/// <param name="Kind">What it is of its operation.</param>
/// <param name="Slot">The adapter slot it belongs to; -1: none.</param>
/// <param name="Layers">The layers that have it; null: all.</param>
/// <param name="SupportsPartialUpdate">Whether a step may update some of its rows or columns only; its moments are then kept whole and in the arena.</param>
/// <param name="TrainingOnly">Whether it exists in training only: what a method keeps of its parameters' history.</param>
public sealed record ParameterInfo(
    string Path,
    Dim Rows,
    Dim Columns,
    WeightFormat Format = default,
    bool PerLayer = false,
    bool Trainable = false,
    ParameterKind Kind = ParameterKind.Matrix,
    int Slot = -1,
    LayerSet? Layers = null,
    bool SupportsPartialUpdate = false,
    bool TrainingOnly = false)
{
    /// <summary>Whether it is of the base and not trained.</summary>
    public bool IsFrozenWeight => !Trainable && Slot < 0;

    /// <summary>Whether it has one dimension.</summary>
    public bool Vector => Kind != ParameterKind.Matrix;

    /// <summary>Its path in the model, "Layers[3].Attention.Query.Weight"; layer -1: outside the layers.</summary>
    public string PathIn(int layer) => ModelTables.PathIn(Path, layer);
}

/// <summary>One adapter slot: a projection that carries an adapter.</summary>
/// <param name="Path">Path of the projection: "Attention.Query".</param>
/// <param name="Options">What the recipe says of the method.</param>
/// <param name="MaximumRank">
/// The largest rank: min(in, out) of the projection, with fewer inputs where the method combines them, or what the options say.
/// </param>
/// <param name="Layers">The layers with an adapter here; null: all, or the head.</param>
public sealed record AdapterSlot(string Path, AdapterOptions Options, int MaximumRank, LayerSet? Layers = null)
{
    /// <summary>Name of the method in prose, tables and JSON: "LoRA".</summary>
    public string Method => Options.Method;

    /// <summary>The rank that adapters start with.</summary>
    public int Rank => Options.FirstRank(MaximumRank);

    /// <summary>Numerator of the scale.</summary>
    public float Alpha => Options.Alpha == 0 ? Rank : Options.Alpha;

    /// <summary>Whether the scale divides by the root of the rank.</summary>
    public bool RankStabilized => Options.DividesByRoot;

    /// <summary>Probability of dropping an element of the adapter's input.</summary>
    public float Dropout => Options.Dropout;

    /// <summary>The projection's path in the model, "Layers[3].Attention.Query"; layer -1: outside the layers.</summary>
    public string PathIn(int layer) => ModelTables.PathIn(Path, layer);

    /// <summary>The scale s at a rank.</summary>
    public float Scale(int rank) => RankStabilized ? (float)(Alpha / Math.Sqrt(rank)) : Alpha / rank;
}

/// <summary>A variant of the block: which layers run it, and its frame under each checkpointing policy.</summary>
/// <param name="Name">Name in the generated code.</param>
/// <param name="Layers">The layers that run it.</param>
/// <param name="None">Frame when everything backward reads is kept.</param>
/// <param name="Selective">Frame when cheap values are recomputed.</param>
/// <param name="Pass">Frame of a forward that saves nothing.</param>
/// <param name="Recompute">Frame of a backward that recomputes all of forward from the layer's input.</param>
/// <param name="Decode">Frame for generation.</param>
public sealed record VariantFrames(
    string Name, LayerSet Layers, FrameTable None, FrameTable Selective, FrameTable Pass, FrameTable Recompute, FrameTable Decode);

/// <summary>Everything the planner needs of a compiled model. The generator writes it as data; build and run plan from the same.</summary>
public sealed record ModelTables
{
    /// <summary>Name of the class.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the architecture's class; the class itself where it is one.</summary>
    public required string Architecture { get; init; }

    /// <summary>Storage of the frozen linear weights; where projections differ, that of most of them.</summary>
    public required string Storage { get; init; }

    /// <summary>Number of token ids.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int Width { get; init; }

    /// <summary>Longest sequence.</summary>
    public required int Context { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Widths of the key (and value) caches a layer keeps when generating, one per attention sublayer.</summary>
    public required int[] CacheWidths { get; init; }

    /// <summary>The sublayers of a block in their order.</summary>
    public required SublayerInfo[] Sublayers { get; init; }

    /// <summary>What <c>config.json</c> must say: key and value.</summary>
    public required ConfigEntry[] Configuration { get; init; }

    /// <summary>All parameters.</summary>
    public required ParameterInfo[] Parameters { get; init; }

    /// <summary>All adapter slots.</summary>
    public required AdapterSlot[] Slots { get; init; }

    /// <summary>The variants of the block, by ascending first layer. Each layer is in one.</summary>
    public required VariantFrames[] Variants { get; init; }

    /// <summary>Ids to the first residual stream.</summary>
    public required FrameTable Prologue { get; init; }

    /// <summary>Last residual stream to the loss and back, for one chunk of rows.</summary>
    public required FrameTable Loss { get; init; }

    /// <summary>Last residual stream to logits, for one chunk of rows.</summary>
    public required FrameTable Head { get; init; }

    /// <summary>The variant a layer runs.</summary>
    public int VariantOf(int layer) => Array.FindIndex(Variants, variant => variant.Layers.Contains(layer));

    /// <summary>A path in the model, "Layers[3].Attention.Query", of one inside a layer; layer -1: outside the layers.</summary>
    public static string PathIn(string path, int layer) => layer < 0 ? path : FormattableString.Invariant($"Layers[{layer}].{path}");

    /// <summary>
    /// A path with the kind of its sublayer instead of its property's name, so that it does not depend on names: "Attention.Query.Weight". The second sublayer of a
    /// kind is "Attention2".
    /// </summary>
    /// <param name="path">The path of a parameter or of a projection, as its row has it.</param>
    public string KindPath(string path)
    {
        int dot = path.IndexOf('.');
        int index = dot < 0 ? -1 : Array.FindIndex(Sublayers, s => s.Name.Length == dot && path.StartsWith(s.Name, StringComparison.Ordinal));
        if (index < 0)
        {
            return path;
        }

        SublayerKind kind = Sublayers[index].Kind;
        int before = Sublayers.Take(index).Count(s => s.Kind == kind);
        return kind + (before == 0 ? "" : FormattableString.Invariant($"{before + 1}")) + path.Substring(dot);
    }

    /// <summary>The parameters as a recipe over this architecture has them: none is trained, and all are in 32 bits but those of the formats given.</summary>
    /// <param name="formats">Formats, each with the paths of the parameters that have it.</param>
    public ParameterInfo[] Frozen(params (WeightFormat Format, string[] Paths)[] formats) => [.. Parameters.Select(parameter => parameter with
    {
        Trainable = false,
        Format = formats.FirstOrDefault(format => format.Paths.Contains(parameter.Path)).Format,
    })];

    /// <summary>The weight of an adapter's projection; of a head that is tied, the token embedding.</summary>
    public ParameterInfo WeightOf(AdapterSlot slot) => Parameters.FirstOrDefault(p => p.Path == slot.Path + ".Weight") ?? Parameters.First(static p => p.Path == "TokenEmbedding");

    /// <summary>The lowest layer that backward reaches; the number of layers where it reaches none.</summary>
    public int LowestTrained => Variants.Where(static v => v.None.BackwardOps > 0).Select(static v => v.Layers.First).DefaultIfEmpty(Layers).Min();

    /// <summary>The layers that have a parameter; -1 alone for one outside the layers.</summary>
    public int[] LayersOf(ParameterInfo row) => !row.PerLayer ? [-1] : row.Layers is { } layers ? [.. layers] : [.. Enumerable.Range(0, Layers)];

    /// <summary>In how many layers a parameter is; 1 where it is outside the layers.</summary>
    public int Copies(ParameterInfo row) => row.PerLayer ? row.Layers?.Count ?? Layers : 1;

    /// <summary>The layers that have an adapter in a slot; -1 alone for the head's.</summary>
    public int[] LayersOf(AdapterSlot slot) => LayersOf(Parameters.First(p => p.Slot >= 0 && Slots[p.Slot] == slot));

    /// <summary>Trainable parameters of one adapter in a slot, given by its index, at a rank.</summary>
    public long AdapterParameters(int slot, int rank)
    {
        var sizes = new Sizes(1, 1, 1, 1, Slots.Select((s, i) => i == slot ? rank : s.Rank).ToArray());
        return Parameters.Where(p => p.Slot == slot && p.Trainable).Sum(p => (long)p.Rows.Evaluate(sizes) * p.Columns.Evaluate(sizes));
    }

    /// <summary>Number of parameters, at the declared ranks.</summary>
    /// <param name="trainable">Only the trainable ones, or all.</param>
    /// <param name="rank">Rank instead of the declared ones.</param>
    /// <param name="ranks">The rank of every adapter instead.</param>
    public long ParameterCount(bool trainable, int? rank = null, RankPattern? ranks = null)
    {
        var sizes = new Sizes(1, 1, 1, 1, Slots.Select(s => rank ?? s.Rank).ToArray(), ranks);
        return Parameters.Where(p => trainable ? p.Trainable : !p.TrainingOnly)
            .Sum(p => ranks is null ? Copies(p) * Count(p, sizes) : LayersOf(p).Sum(layer => Count(p, sizes.In(layer))));

        static long Count(ParameterInfo row, Sizes sizes) => (long)row.Rows.Evaluate(sizes) * row.Columns.Evaluate(sizes);
    }
}

/// <summary>A key of <c>config.json</c> and the value the description implies.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value in JSON's form: a number, true, false, a quoted text, or an object of them.</param>
/// <param name="Default">What the absent key means; null: it must be there.</param>
public sealed record ConfigEntry(string Key, string Value, string? Default);
