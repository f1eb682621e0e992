using ModelCompiler.Models;
using ModelCompiler.Numerics;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>A LaMDA adapter: y += s · (B S + O) A x, with A and O frozen and the columns of B frozen one after the other (Azizi et al. 2024).</summary>
public sealed class LamdaAdapter : AdapterState<LamdaOptions>
{
    private readonly Parameter? _o;

    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="s">S, [rank, rank].</param>
    /// <param name="b">B, [out, rank].</param>
    /// <param name="o">O, [out, rank], which takes away what B S is at the start; null where that is 0.</param>
    public LamdaAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter s, Parameter b, Parameter? o = null)
        : base(slot, index, layer, a.Value.Rows) => (A, S, B, _o) = (a, s, b, o);

    /// <summary>A, [rank, in]; never trained.</summary>
    public Parameter A { get; }

    /// <summary>S, [rank, rank].</summary>
    public Parameter S { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>O = −B₀ S₀, [out, rank], never trained.</summary>
    /// <exception cref="InvalidOperationException">B₀ S₀ = 0, so the adapter has none.</exception>
    public Parameter O => _o ?? throw new InvalidOperationException($"{Path} has no O: it starts where B S is 0");

    /// <summary>How its parameters start.</summary>
    public LamdaInitialization Initialization => Options.Initialization;

    /// <summary>The part of the steps after which all of B is frozen.</summary>
    public double FreezeUntil => Options.FreezeUntil;

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => _o is null ? [A, S, B] : [A, S, B, _o];

    /// <inheritdoc/>
    public override bool IsLora => false;

    /// <summary>The values of <see cref="LamdaInitialization"/>; the spectral ones decompose the weight as it is stored, so that they start where the base is.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        if (Initialization == LamdaInitialization.Random)
        {
            Models.Initialization.Uniform(model, A, seed, 1 / Math.Sqrt(Inputs));
            Models.Initialization.Uniform(model, S, seed, 1 / Math.Sqrt(Rank));
            Models.Initialization.Constant(model, B, 0);
            return;
        }

        SingularFactors factors = SingularValues.Largest(model.Read(WeightIn(model)), Outputs, Inputs, Rank);
        model.Backend.Write(A.Value, (ReadOnlySpan<double>)factors.Vt);
        model.Backend.Write(B.Value, (ReadOnlySpan<double>)factors.U);
        Models.Initialization.Constant(model, S, 0);
        if (_o is not null)
        {
            var diagonal = new double[Rank * Rank];
            for (int i = 0; i < Rank; i++)
            {
                diagonal[i * Rank + i] = factors.Values[i] / Scale;
            }

            model.Backend.Write(S.Value, (ReadOnlySpan<double>)diagonal);
            model.Backend.Write(_o.Value, (ReadOnlySpan<double>)NegativeProduct(model));
        }
    }

    /// <summary>B' = B S + O and A' = A: the same function, exactly but for rounding, and of the same rank since A never moves.</summary>
    public override LowRankFactors ToLora(TransformerModel model)
    {
        float[] b = model.Read(B);
        float[] s = model.Read(S);
        float[] folded = _o is null ? new float[b.Length] : model.Read(_o);
        for (int row = 0; row < Outputs; row++)
        {
            for (int column = 0; column < Rank; column++)
            {
                double sum = folded[row * Rank + column];
                for (int k = 0; k < Rank; k++)
                {
                    sum += (double)b[row * Rank + k] * s[k * Rank + column];
                }

                folded[row * Rank + column] = (float)sum;
            }
        }

        return new LowRankFactors(Rank, Inputs, Outputs, model.Read(A), folded);
    }

    /// <inheritdoc/>
    public override AdapterSchedule Schedule(TransformerModel model, IReadOnlyList<AdapterState> adapters, int steps, ulong seed) =>
        new LamdaSchedule(adapters.Cast<LamdaAdapter>(), steps);

    /// <summary>−B S of a diagonal S, from both as they are stored: what is left beside it is the rounding of one multiplication.</summary>
    private double[] NegativeProduct(TransformerModel model)
    {
        var b = new double[B.Value.Count];
        var s = new double[S.Value.Count];
        model.Backend.Read(B.Value, b);
        model.Backend.Read(S.Value, s);
        for (int i = 0; i < b.Length; i++)
        {
            int column = i % Rank;
            b[i] *= -s[column * Rank + column];
        }

        return b;
    }
}
