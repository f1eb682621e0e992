using ModelCompiler.Backends;
using ModelCompiler.Models;
using ModelCompiler.Planning;

namespace ModelCompiler.Adapters;

/// <summary>A DoRA adapter: y = m / ‖W + s B A‖ ∘ (W + s B A) x, with a magnitude m and a norm for each output (Liu et al. 2024, section 4.1).</summary>
public sealed class DoraAdapter : AdapterState<DoraOptions>
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="b">B, [out, rank].</param>
    /// <param name="m">The magnitudes, [1, out].</param>
    /// <param name="squaredNorms">‖w‖² of each row of the weight, [1, out].</param>
    public DoraAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter b, Parameter m, Parameter squaredNorms)
        : base(slot, index, layer, a.Value.Rows) => (A, B, M, SquaredNorms) = (a, b, m, squaredNorms);

    /// <summary>A, [rank, in].</summary>
    public Parameter A { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>The magnitude of each output, [1, out].</summary>
    public Parameter M { get; }

    /// <summary>‖w‖² of each row of the frozen weight as it is stored, [1, out]: what is left of the norm's cost is a product with A.</summary>
    public Parameter SquaredNorms { get; }

    /// <inheritdoc/>
    internal override string? KeepsOn => "DoRA scales the base's own output by its magnitudes";

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [A, B, M, SquaredNorms];

    /// <inheritdoc/>
    public override bool HasMagnitude => true;

    /// <summary>A uniform in ±1/√in, B 0, and the magnitudes the norms of the weight's rows.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Uniform(model, A, seed, 1 / Math.Sqrt(Inputs));
        Initialization.Constant(model, B, 0);
        double[] squares = Measure(model);
        model.Backend.Write(M.Value, (ReadOnlySpan<double>)Array.ConvertAll(squares, Math.Sqrt));
    }

    /// <summary>LoRA's matrices and the magnitudes: PEFT's DoRA.</summary>
    public override LowRankFactors ToLora(TransformerModel model) =>
        new(Rank, Inputs, Outputs, model.Read(A), model.Read(B)) { Magnitude = model.Read(M) };

    /// <inheritdoc/>
    public override void FromLora(TransformerModel model, LowRankFactors module)
    {
        Measure(model);
        model.Backend.Write(A.Value, module.A);
        model.Backend.Write(B.Value, module.B);
        model.Backend.Write(M.Value, module.Magnitude);
    }

    /// <summary>Keeps the squared norms of the weight's rows.</summary>
    private double[] Measure(TransformerModel model)
    {
        var weight = new HostRows(model.Backend, WeightIn(model).Value);
        var squares = new double[Outputs];
        var row = new double[Inputs];
        for (int i = 0; i < squares.Length; i++)
        {
            weight.Read(i, row);
            squares[i] = row.Sum(static w => w * w);
        }

        model.Backend.Write(SquaredNorms.Value, (ReadOnlySpan<double>)squares);
        return squares;
    }
}
