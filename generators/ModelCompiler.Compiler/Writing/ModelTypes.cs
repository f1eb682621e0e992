using ModelCompiler.Compiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Writing;

/// <summary>What the files of one model share: the order of its parameters, its frames, and how values are named in text.</summary>
public sealed class ModelTypes
{
    private readonly Dictionary<string, int> _rows = [];

    /// <summary>Creates the names of a model.</summary>
    public ModelTypes(CompiledModel model)
    {
        Model = model;
        Names = new LocalNames(model.Spec.Block);
        Parameters = [.. model.Network.Parameters.Select(p => p.Parameter!), .. model.Slots.SelectMany(s => s.Parameters.Select(p => p.Parameter!))];
        for (int i = 0; i < Parameters.Length; i++)
        {
            _rows.Add(Parameters[i].Path, i);
        }

        LayerFrames = new FrameUnion(model.Variants.SelectMany(v => new[] { v.Selective, v.None, v.Pass, v.Recompute, v.Decode }));
        LossFrames = new FrameUnion([model.Loss, model.Head]);
        PrologueFrames = new FrameUnion([model.Prologue]);
        Shapes = new ShapeConstants([.. model.Network.Prologue.Ops, .. model.Network.Blocks.SelectMany(static block => block.Region.Ops), .. model.Network.Loss.Ops]);
        Tables = MakeTables();
    }

    /// <summary>The model.</summary>
    public CompiledModel Model { get; }

    /// <summary>The description.</summary>
    public ModelSpec Spec => Model.Spec;

    /// <summary>Names of the locals of a layer's methods.</summary>
    internal LocalNames Names { get; }

    /// <summary>All parameters, in table order.</summary>
    public ParameterInfo[] Parameters { get; }

    /// <summary>Names of the layers' frames.</summary>
    public FrameUnion LayerFrames { get; }

    /// <summary>Names of the frames of loss and head.</summary>
    public FrameUnion LossFrames { get; }

    /// <summary>Names of the prologue's frame.</summary>
    public FrameUnion PrologueFrames { get; }

    /// <summary>The constants that calls name.</summary>
    public ShapeConstants Shapes { get; }

    /// <summary>The tables the generated class carries.</summary>
    public ModelTables Tables { get; }

    /// <summary>The names of all frames of a frame's region.</summary>
    internal FrameUnion Union(FrameDraft draft) =>
        ReferenceEquals(draft, Model.Prologue) ? PrologueFrames : ReferenceEquals(draft, Model.Loss) || ReferenceEquals(draft, Model.Head) ? LossFrames : LayerFrames;

    /// <summary>Index of a parameter's row; -1 where the model has no such parameter.</summary>
    public int Row(string path) => _rows.TryGetValue(path, out int row) ? row : -1;

    /// <summary>The adapter on a projection; null where there is none.</summary>
    public AdaptedProjection? AdapterOf(string path) => Model.Slots.FirstOrDefault(s => s.Slot.Path == path);

    /// <summary>Text of a parameter inside a method of the model: through the local of its projection, or else of its sublayer.</summary>
    public string ParameterText(string path)
    {
        string[] parts = path.Split('.');
        if (!Spec.Block.Sublayers.Any(s => s.PropertyName == parts[0]))
        {
            return path;
        }

        bool projection = Model.Network.Projections.Any(p => p.Path == parts[0] + "." + parts[1]);
        return projection
            ? ProjectionLocal(parts[0], parts[1]) + path.Substring(parts[0].Length + parts[1].Length + 1)
            : Names.Of(parts[0]) + path.Substring(parts[0].Length);
    }

    /// <summary>The locals a layer's method declares: the sublayers and projections its lines mention.</summary>
    internal string[] Locals(IEnumerable<OperationLine> operations)
    {
        string[] lines = [.. operations.Select(static line => line.Call)];
        var locals = new List<string>();
        foreach (SublayerSpec s in Spec.Block.Sublayers)
        {
            string sublayer = Names.Of(s.PropertyName);
            var projections = Model.Network.Projections.Where(p => p.Path.StartsWith(s.PropertyName + ".", StringComparison.Ordinal))
                .Select(p => p.Flag.ToString()).Where(p => Mentions(lines, ProjectionLocal(s.PropertyName, p))).ToArray();
            if (projections.Length == 0 && !Mentions(lines, sublayer))
            {
                continue;
            }

            locals.Add($"var {sublayer} = layer.{Identifier.Escape(s.PropertyName)};");
            if (projections.Length == 1)
            {
                locals.Add($"var {ProjectionLocal(s.PropertyName, projections[0])} = {sublayer}.{projections[0]};");
            }
            else if (projections.Length > 1)
            {
                string names = string.Join(", ", projections.Select(p => ProjectionLocal(s.PropertyName, p)));
                string values = string.Join(", ", projections.Select(p => sublayer + "." + p));
                locals.Add($"var ({names}) = ({values});");
            }
        }

        return locals.ToArray();
    }

    private static bool Mentions(string[] lines, string local) =>
        lines.Any(l => l.Contains("(" + local + ".") || l.Contains(" " + local + "."));

    // Two sublayers of one kind would have two locals "query": theirs carry the sublayer's name.
    private string ProjectionLocal(string sublayer, string projection)
    {
        bool unique = Model.Network.Projections.Count(p => p.PerLayer && p.Flag.ToString() == projection) == 1;
        return unique ? LocalNames.OfProjection(projection) : Names.OfProjection(sublayer, projection);
    }

    private ModelTables MakeTables()
    {
        AttentionSpec? attention = Spec.Block.Sublayers.Select(s => s.Attention).FirstOrDefault(a => a is not null);
        return new ModelTables
        {
            Name = Spec.Type.Name,
            Architecture = Spec.Recipe?.Architecture ?? Spec.Type.Name,
            Storage = (Spec.Recipe?.Frozen.FirstOrDefault(static f => (f.Targets & Projections.All) == Projections.All)?.Storage ?? Storage.Float32).ToString(),
            Vocabulary = Spec.Vocabulary,
            Width = Spec.Width,
            Context = Spec.Context,
            Layers = Spec.Block.Repeat,
            CacheWidths = Model.CacheWidths,
            Sublayers = [.. Spec.Block.Sublayers.Select(static s => new SublayerInfo(s.PropertyName, s.Attention is null ? SublayerKind.FeedForward : SublayerKind.Attention))],
            Configuration = Configuration(attention),
            Parameters = Parameters,
            Slots = Model.Slots.Select(s => s.Row).ToArray(),
            Variants = Model.Variants
                .Select(v => new VariantFrames(
                    v.Name, v.Layers, LayerFrames.Table(v.None), LayerFrames.Table(v.Selective), LayerFrames.Table(v.Pass), LayerFrames.Table(v.Recompute), LayerFrames.Table(v.Decode)))
                .ToArray(),
            Prologue = PrologueFrames.Table(Model.Prologue),
            Loss = LossFrames.Table(Model.Loss),
            Head = LossFrames.Table(Model.Head),
        };
    }

    private ConfigEntry[] Configuration(AttentionSpec? attention)
    {
        var rows = new List<ConfigEntry>
        {
            new("hidden_size", Number(Spec.Width), null),
            new("num_hidden_layers", Number(Spec.Block.Repeat), null),
            new("vocab_size", Number(Spec.Vocabulary), null),
            new("tie_word_embeddings", Spec.Embedding.Tied ? "true" : "false", "false"),
        };
        if (Spec.Embedding.Scale != 1)
        {
            rows.Add(new("embedding_multiplier", Number(Spec.Embedding.Scale), "1"));
        }

        if (Spec.Head.SoftCap > 0)
        {
            rows.Add(new("final_logit_softcapping", Number(Spec.Head.SoftCap), "0"));
        }

        if (Spec.Block.Parallel)
        {
            rows.Add(new("use_parallel_residual", "true", "false"));
        }

        if (Spec.Block.PostNorm)
        {
            rows.Add(new("use_post_norm", "true", "false"));
        }

        if (attention is not null)
        {
            rows.Add(new("num_attention_heads", Number(attention.Shape.Heads), null));
            rows.Add(new("num_key_value_heads", Number(attention.Shape.KeyValueHeads), Number(attention.Shape.Heads)));
            rows.Add(new("head_dim", Number(attention.Shape.HeadWidth), Number(Spec.Width / attention.Shape.Heads)));
            if (attention.Rotary is { } rotary)
            {
                rows.Add(new("rope_theta", Number(rotary.Theta), "10000"));
                if (rotary.Width != rotary.HeadWidth)
                {
                    rows.Add(new("partial_rotary_factor", Number((float)rotary.Width / rotary.HeadWidth), "1"));
                }

                if (rotary.Scaling.Kind != RotaryScaling.None)
                {
                    rows.Add(new("rope_scaling", rotary.Scaling.ToJson(), null));
                }
            }
        }

        if (Spec.Block.Sublayers.Select(s => s.FeedForward).FirstOrDefault(f => f is not null) is { } feedForward)
        {
            rows.Add(new("intermediate_size", Number(feedForward.Hidden), null));
            string activation = feedForward.Kind == FeedForwardKind.SwiGlu ? "\"silu\"" : "\"gelu_pytorch_tanh\"";
            rows.Add(new("hidden_act", activation, activation));
        }

        if (Spec.Block.Sublayers.Select(s => s.Norm).FirstOrDefault(n => n is { Kind: NormKind.Rms }) is { } norm)
        {
            rows.Add(new("rms_norm_eps", Number(norm.Shape.Epsilon), "1E-06"));
        }
        else if (Spec.Block.Sublayers.Select(s => s.Norm).FirstOrDefault(n => n is { Kind: NormKind.Layer }) is { } layerNorm)
        {
            rows.Add(new("layer_norm_eps", Number(layerNorm.Shape.Epsilon), "1E-05"));
        }

        return rows.ToArray();
    }

    private static string Number(float value) => value.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
