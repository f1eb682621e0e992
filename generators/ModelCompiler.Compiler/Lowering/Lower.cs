using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Lowering;

/// <summary>The regions of a step before any pass: prologue, the blocks with the layers that run each, loss.</summary>
public sealed record Network(Region Prologue, (LayerSet Layers, Region Region)[] Blocks, Region Loss, Value[] Parameters, ProjectionSite[] Projections);

/// <summary>Turns a description into regions.</summary>
public sealed class Lower
{
    /// <summary>The token ids, [T, 1].</summary>
    public static readonly Value TokenIds = new("TokenIds", new Shape(Dim.Tokens, new Dim(1)), ValueKind.External);

    /// <summary>Which of all rows a chunk of the loss takes: those that have a target.</summary>
    public static readonly Value LossRows = new("LossRows", new Shape(Dim.Rows, new Dim(1)), ValueKind.External);

    /// <summary>The targets of a chunk's rows.</summary>
    public static readonly Value Targets = new("Targets", new Shape(Dim.Rows, new Dim(1)), ValueKind.External);

    /// <summary>The summed loss.</summary>
    public static readonly Value LossSum = new("LossSum", new Shape(new Dim(1), new Dim(1)), ValueKind.External);

    private readonly ModelSpec _spec;
    private readonly List<Value> _parameters = [];
    private readonly List<ProjectionSite> _projections = [];
    private readonly Dictionary<string, LayerSet> _rotaryLayers = [];

    private Lower(ModelSpec spec) => _spec = spec;

    /// <summary>Assembles a model.</summary>
    public static Network Run(ModelSpec spec) => new Lower(spec).Build();

    private Network Build()
    {
        Value embedding = Parameter("TokenEmbedding", ParameterKind.Matrix, _spec.Vocabulary, _spec.Width, perLayer: false);
        Region prologue = Prologue(embedding);
        (LayerSet, Region)[] blocks = Blocks();
        Region loss = Loss(embedding);
        return new Network(prologue, blocks, loss, _parameters.ToArray(), _projections.ToArray());
    }

    private Region Prologue(Value embedding)
    {
        var g = new GraphBuilder();
        Value x = g.Add("Output", new Embedding(_spec.Embedding.Scale), TokenIds, embedding);
        if (_spec.LearnedPositions)
        {
            Value table = Parameter("PositionEmbedding", ParameterKind.Matrix, _spec.Context, _spec.Width, perLayer: false);
            x = g.Add("Output", new LearnedPositions(), x, table);
        }

        return g.Build(null, x);
    }

    /// <summary>Layers are of one block that have the same operations.</summary>
    private (LayerSet, Region)[] Blocks() =>
    [
        .. Enumerable.Range(0, _spec.Block.Repeat)
            .GroupBy(layer => string.Concat(_spec.Block.Sublayers.Select(s => Rotates(s.Attention, layer) ? '1' : '0')), StringComparer.Ordinal)
            .Select(kind => (LayerSet.Of(kind), Block(kind.First()))),
    ];

    private bool Rotates(AttentionSpec? attention, int layer) =>
        attention?.Rotary is not null && (attention.RotaryLayers.Length == 0 || RotaryLayers(attention.RotaryLayers).Contains(layer));

    /// <summary>A set's text is read once, not in each layer.</summary>
    private LayerSet RotaryLayers(string text)
    {
        if (!_rotaryLayers.TryGetValue(text, out LayerSet? layers))
        {
            _rotaryLayers.Add(text, layers = LayerSet.Find(text, _spec.Block.Repeat)!);
        }

        return layers;
    }

    private Region Block(int layer)
    {
        var g = new GraphBuilder();
        var input = new Value("Input", new Shape(Dim.Tokens, new Dim(_spec.Width)), ValueKind.Carried);
        Value x = input;
        Value? shared = null;
        for (int i = 0; i < _spec.Block.Sublayers.Count; i++)
        {
            SublayerSpec sublayer = _spec.Block.Sublayers[i];
            g.Section(sublayer.PropertyName);
            string suffix = _spec.Block.Sublayers.Count == 1 ? "" : Text(i + 1);
            Value read = _spec.Block.Parallel ? input : x;
            if (!_spec.Block.PostNorm)
            {
                read = sublayer.Norm is not null ? Norm(g, sublayer, read, "Normed" + suffix) : shared ?? read;
                shared = _spec.Block.Parallel ? shared ?? read : null;
            }

            Value y = sublayer.Attention is not null
                ? Attention(g, sublayer, Rotates(sublayer.Attention, layer) ? sublayer.Attention : sublayer.Attention with { Rotary = null }, read, suffix)
                : FeedForward(g, sublayer, sublayer.FeedForward!, read, suffix);
            if (sublayer.LayerScale)
            {
                Value factors = Parameter(sublayer.PropertyName + ".LayerScale", ParameterKind.Gain, 1, _spec.Width);
                y = g.Add("Scaled" + suffix, new ScaleChannels(), y, factors);
            }

            bool last = i == _spec.Block.Sublayers.Count - 1;
            bool norms = _spec.Block.PostNorm && sublayer.Norm is not null;
            x = g.Add(norms ? "ResidualSum" + suffix : last ? "Output" : "ResidualMiddle" + (i == 0 ? "" : Text(i + 1)), new Add(), x, y);
            if (norms)
            {
                x = Norm(g, sublayer, x, last ? "Output" : "Normed" + suffix);
            }
        }

        return g.Build(input, x);
    }

    private Region Loss(Value embedding)
    {
        var g = new GraphBuilder();
        g.Section("Head");
        var hidden = new Value("Hidden", new Shape(Dim.Tokens, new Dim(_spec.Width)), ValueKind.Carried);
        Value x = g.Add("Input", new Gather(), LossRows, hidden);
        NormSpec? norm = _spec.FinalNorm ?? (_spec.Block.PostNorm ? null : _spec.Block.Sublayers.LastOrDefault(s => s.Norm is not null)?.Norm);
        if (norm is not null)
        {
            x = Norm(g, norm, "FinalNorm", x, "Normed", perLayer: false);
        }

        Value weight = _spec.Embedding.Tied ? embedding : Parameter("Head.Weight", ParameterKind.Matrix, _spec.Vocabulary, _spec.Width, perLayer: false, Projections.Head);
        _projections.Add(new ProjectionSite(Projections.Head, "Head", _spec.Width, _spec.Vocabulary, weight.Parameter!.Format));
        Value[] inputs = _spec.Head.Bias
            ? [x, weight, Parameter("Head.Bias", ParameterKind.Bias, 1, _spec.Vocabulary, perLayer: false)]
            : [x, weight];
        Value logits = g.Add("Logits", new Linear(), inputs);
        if (_spec.Head.SoftCap > 0)
        {
            logits = g.Add("Logits", new SoftCap(_spec.Head.SoftCap), logits);
        }

        g.Add("LogSumExp", new CrossEntropy(), logits, Targets, LossSum);
        return g.Build(hidden, logits);
    }

    private Value Attention(GraphBuilder g, SublayerSpec sublayer, AttentionSpec a, Value x, string suffix)
    {
        string tag = _spec.Block.Sublayers.Count(s => s.Attention is not null) > 1 ? suffix : "";
        Value q = Project(g, sublayer, Projections.Query, x, a.Bias, "Query" + tag);
        q = Rotate(g, a, HeadNorm(g, sublayer, a, q, "QueryNorm"));
        Value k = Project(g, sublayer, Projections.Key, x, a.Bias, "Key" + tag);
        k = Rotate(g, a, HeadNorm(g, sublayer, a, k, "KeyNorm"));
        Value v = Project(g, sublayer, Projections.Value, x, a.Bias, "Value" + tag);
        Value mixed = g.AddMany(["AttentionOutput" + tag, "LogSumExp" + tag], new Attention(a.Shape), q, k, v)[0];
        return Project(g, sublayer, Projections.Output, mixed, a.OutputBias, "AttentionProjected" + tag);
    }

    private Value HeadNorm(GraphBuilder g, SublayerSpec sublayer, AttentionSpec a, Value x, string property)
    {
        if (a.QueryKeyNorm is not { } norm)
        {
            return x;
        }

        Value weight = Parameter($"{sublayer.PropertyName}.{property}.Weight", ParameterKind.Gain, 1, a.Shape.HeadWidth);
        return g.AddMany(["Normed" + x.Name, "RstdNormed" + x.Name], new RmsNorm(norm.Shape), x, weight)[0];
    }

    private static Value Rotate(GraphBuilder g, AttentionSpec a, Value x) =>
        a.Rotary is { } shape ? g.Add(x.Name, new Rotary(shape), x) : x;

    private Value FeedForward(GraphBuilder g, SublayerSpec sublayer, FeedForwardSpec f, Value x, string suffix)
    {
        string tag = _spec.Block.Sublayers.Count(s => s.FeedForward is not null) > 1 ? suffix : "";
        Value hidden;
        if (f.Kind == FeedForwardKind.Gelu)
        {
            Value up = Project(g, sublayer, Projections.Up, x, f.Bias, "Up" + tag);
            hidden = g.Add("Hidden" + tag, new Gelu(), up);
        }
        else
        {
            Value gate = Project(g, sublayer, Projections.Gate, x, f.Bias, "Gate" + tag);
            Value up = Project(g, sublayer, Projections.Up, x, f.Bias, "Up" + tag);
            hidden = g.Add("Hidden" + tag, f.Kind == FeedForwardKind.SwiGlu ? new SwiGlu() : new GeGlu(), gate, up);
        }

        return Project(g, sublayer, Projections.Down, hidden, f.Bias, "FeedForwardOutput" + tag);
    }

    private Value Project(GraphBuilder g, SublayerSpec sublayer, Projections flag, Value x, bool bias, string name)
    {
        string path = $"{sublayer.PropertyName}.{flag}";
        (int inputs, int width) = (x.Shape.Columns.Factor, (int)ProjectionSize.Of(sublayer, _spec.Width).Single(size => size.Projection == flag).Out);
        Value weight = Parameter(path + ".Weight", ParameterKind.Matrix, width, inputs, projection: flag);
        if (_projections.All(projection => projection.Path != path))
        {
            _projections.Add(new ProjectionSite(flag, path, inputs, width, weight.Parameter!.Format));
        }

        return bias
            ? g.Add(name, new Linear(), x, weight, Parameter(path + ".Bias", ParameterKind.Bias, 1, width))
            : g.Add(name, new Linear(), x, weight);
    }

    private Value Norm(GraphBuilder g, SublayerSpec sublayer, Value x, string name) =>
        Norm(g, sublayer.Norm!, sublayer.PropertyName + ".Norm", x, name, perLayer: true);

    private Value Norm(GraphBuilder g, NormSpec norm, string path, Value x, string name, bool perLayer)
    {
        Value weight = Parameter(path + ".Weight", ParameterKind.Gain, 1, _spec.Width, perLayer);
        if (norm.Kind == NormKind.Rms)
        {
            return g.AddMany([name, "Rstd" + name], new RmsNorm(norm.Shape), x, weight)[0];
        }

        Value[] inputs = norm.Bias ? [x, weight, Parameter(path + ".Bias", ParameterKind.Bias, 1, _spec.Width, perLayer)] : [x, weight];
        return g.AddMany([name, "Statistics" + name], new LayerNorm(norm.Shape), inputs)[0];
    }

    private Value Parameter(string path, ParameterKind kind, int rows, int columns, bool perLayer = true, Projections? projection = null)
    {
        if (_parameters.Find(parameter => parameter.Name == path) is { } known)
        {
            return known;
        }

        WeightFormat format = kind != ParameterKind.Matrix || _spec.Recipe is null ? WeightFormat.Compute
            : projection is { } named ? _spec.Recipe.FormatOf(named) : _spec.Recipe.EmbeddingFormat;
        var row = new ParameterInfo(path, new Dim(rows), new Dim(columns), format, perLayer, _spec.Recipe is null, kind);
        var value = new Value(path, new Shape(row.Rows, row.Columns), ValueKind.Parameter, row);
        _parameters.Add(value);
        return value;
    }

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
