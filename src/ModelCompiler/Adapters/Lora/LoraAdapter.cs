using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>A low-rank adapter: y += s · B A x.</summary>
public sealed class LoraAdapter : AdapterState<LoraOptions>
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="b">B, [out, rank].</param>
    /// <param name="startA">A as it was at the start, [rank, in], where the start took s · B A from the weight; else null.</param>
    /// <param name="startB">B as it was then, [out, rank].</param>
    public LoraAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter b, Parameter? startA = null, Parameter? startB = null)
        : base(slot, index, layer, a.Value.Rows) => (A, B, StartA, StartB) = (a, b, startA, startB);

    /// <summary>A, [rank, in].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>A as PiSSA started it, [rank, in], never trained; null for other starts.</summary>
    public Parameter? StartA { get; }

    /// <summary>B as PiSSA started it, [out, rank], never trained; null for other starts.</summary>
    public Parameter? StartB { get; }

    /// <summary>How it starts.</summary>
    public LoraInitialization Initialization => Options.Initialization;

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => StartA is null || StartB is null ? [A, B] : [A, B, StartA, StartB];

    /// <summary>Twice the rank where the start changed the weight.</summary>
    public override int PeftRank => StartA is null ? Rank : 2 * Rank;

    /// <inheritdoc/>
    internal override bool ChangesWeight => StartA is not null;

    /// <inheritdoc/>
    internal override string? KeepsOn => Initialization is LoraInitialization.Pissa or LoraInitialization.Loftq ? $"start {Initialization} changed the weight that the base had" : null;

    /// <summary>The values of <see cref="LoraInitialization"/>; PiSSA and LoftQ change the weight too, from the checkpoint it was loaded from.</summary>
    /// <exception cref="ModelCompilerException">PiSSA or LoftQ: the checkpoint's weight is quantized already, or cannot be read any more.</exception>
    /// <exception cref="AdapterException">LoftQ: the weight is not stored as NF4 in this plan.</exception>
    /// <exception cref="InvalidOperationException">LoftQ: the weight was not loaded from a checkpoint.</exception>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        switch (Initialization)
        {
            case LoraInitialization.Pissa:
                float[] weight = model.ReadOriginal(WeightIn(model));
                LowRankFactors start = SpectralStart.Pissa(weight, Outputs, Inputs, Rank, Scale);
                Take(model, start, weight);
                Write(model, A, B, start);
                break;
            case LoraInitialization.Loftq:
                Write(model, A, B, FitToLoss(model));
                break;
            case LoraInitialization.Gaussian:
                Models.Initialization.Normal(model, A, seed, 1.0 / Rank);
                Models.Initialization.Constant(model, B, 0);
                break;
            default:
                Models.Initialization.Uniform(model, A, seed, 1 / Math.Sqrt(A.Value.Columns));
                Models.Initialization.Constant(model, B, 0);
                break;
        }
    }

    /// <inheritdoc/>
    public override LowRankFactors ToLora(TransformerModel model) =>
        new(Rank, A.Value.Columns, B.Value.Rows, model.Read(A), model.Read(B));

    /// <summary>
    /// As <see cref="ToLora"/> but for PiSSA: [A; A₀] and [B, −B₀], whose product is B A − B₀ A₀, as PEFT converts it.
    /// </summary>
    public override LowRankFactors ToPeft(TransformerModel model) => StartA is null || StartB is null
        ? ToLora(model)
        : new(2 * Rank, Inputs, Outputs, [.. model.Read(A), .. model.Read(StartA)], BesideNegative(model.Read(B), model.Read(StartB)));

    /// <inheritdoc/>
    public override void FromLora(TransformerModel model, LowRankFactors module)
    {
        if (StartA is null || StartB is null)
        {
            Write(model, A, B, module);
            return;
        }

        (float[] b, float[] negative) = (new float[Outputs * Rank], new float[Outputs * Rank]);
        for (int i = 0; i < b.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, Rank);
            b[i] = module.B[row * 2 * Rank + column];
            negative[i] = -module.B[row * 2 * Rank + Rank + column];
        }

        var start = new LowRankFactors(Rank, Inputs, Outputs, module.A[(Rank * Inputs)..], negative);
        if (!model.Read(StartA).AsSpan().SequenceEqual(start.A) || !model.Read(StartB).AsSpan().SequenceEqual(start.B))
        {
            Take(model, start, model.ReadOriginal(WeightIn(model)));
        }

        Write(model, A, B, new LowRankFactors(Rank, Inputs, Outputs, module.A[..(Rank * Inputs)], b));
    }

    /// <summary>Makes the model's weight W − s · B₀ A₀, and keeps A₀ and B₀.</summary>
    private void Take(TransformerModel model, LowRankFactors start, float[] weight)
    {
        SpectralStart.Add(weight, start, -Scale);
        Write(model, WeightIn(model), weight);
        Write(model, StartA!, StartB!, start);
    }

    /// <summary>Makes the model's weight what LoftQ leaves of W; returns the adapter beside it.</summary>
    private LowRankFactors FitToLoss(TransformerModel model)
    {
        Parameter parameter = WeightIn(model);
        if (parameter.Value.Type.Kind() != DType.NF4)
        {
            throw new AdapterException($"{parameter.Path}: LoftQ starts from what NF4 loses of it, and this plan stores it as {WeightFormat.Of(parameter.Value.Type)}; plan it with NF4, or take a recipe with another start");
        }

        if (model.Base is null)
        {
            throw new InvalidOperationException($"{parameter.Path}: LoftQ starts from the weight as it was before quantization; load the base first");
        }

        float[] original = model.ReadOriginal(parameter);
        (LowRankFactors adapter, float[] rest) = SpectralStart.Loftq(
            original, Outputs, Inputs, parameter.Value.Type, Rank, Scale, Options.Iterations);
        Write(model, parameter, rest);
        return adapter;
    }

    private float[] BesideNegative(float[] left, float[] right)
    {
        var both = new float[left.Length + right.Length];
        for (int i = 0; i < left.Length; i++)
        {
            (int row, int column) = Math.DivRem(i, Rank);
            both[row * 2 * Rank + column] = left[i];
            both[row * 2 * Rank + Rank + column] = -right[i];
        }

        return both;
    }

    private static void Write(TransformerModel model, Parameter a, Parameter b, LowRankFactors module)
    {
        model.Backend.Write(a.Value, module.A);
        model.Backend.Write(b.Value, module.B);
    }

    /// <summary>Fills a frozen weight, quantized as it is stored.</summary>
    private static void Write(TransformerModel model, Parameter weight, float[] values) =>
        RowBlocks.Load(model.Backend, weight.Value, (first, _, rows) => values.AsSpan((int)first * weight.Value.Columns, rows.Length).CopyTo(rows));
}
