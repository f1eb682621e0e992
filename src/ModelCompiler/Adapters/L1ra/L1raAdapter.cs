using ModelCompiler.Models;
using ModelCompiler.Numerics;
using ModelCompiler.Planning;
using ModelCompiler.Training;

namespace ModelCompiler.Adapters;

/// <summary>An adapter with a gate per direction, whose rank changes in training: y += s · B (c ∘ A x) (Singh et al. 2025).</summary>
public sealed class L1raAdapter : AdapterState<L1raOptions>
{
    /// <summary>Creates the adapter's state.</summary>
    /// <param name="slot">Its slot.</param>
    /// <param name="index">Index of the slot among the model's.</param>
    /// <param name="layer">Its layer; -1 for the head.</param>
    /// <param name="a">A, [rank, in].</param>
    /// <param name="c">The gates c, [1, rank].</param>
    /// <param name="b">B, [out, rank].</param>
    public L1raAdapter(AdapterSlot slot, int index, int layer, Parameter a, Parameter c, Parameter b)
        : base(slot, index, layer, a.Value.Rows) => (A, C, B) = (a, c, b);

    /// <summary>A, [rank, in].</summary>
    public Parameter A { get; }

    /// <summary>The gates c, [1, rank], from 0 to 1.</summary>
    public Parameter C { get; }

    /// <summary>B, [out, rank].</summary>
    public Parameter B { get; }

    /// <summary>s = alpha / the first rank: a scale that followed the rank would change what the model computes whenever a rank moves.</summary>
    public override float Scale => Slot.Scale(FirstRank);

    /// <inheritdoc/>
    public override int Inputs => A.Value.Columns;

    /// <inheritdoc/>
    public override int Outputs => B.Value.Rows;

    /// <inheritdoc/>
    public override IReadOnlyList<Parameter> Parameters => [A, C, B];

    /// <inheritdoc/>
    public override bool IsLora => false;

    /// <summary>A of N(0, 1/r²) with the first rank r, c = 1, B = 0.</summary>
    public override void Initialize(TransformerModel model, ulong seed)
    {
        Initialization.Normal(model, A, seed, 1.0 / FirstRank);
        Initialization.Constant(model, C, 1);
        Initialization.Constant(model, B, 0);
    }

    /// <summary>Plain LoRA of the same rank: the gates go into A.</summary>
    public override LowRankFactors ToLora(TransformerModel model)
    {
        (float[] a, float[] c) = (model.Read(A), model.Read(C));
        for (int i = 0; i < a.Length; i++)
        {
            a[i] *= c[i / Inputs];
        }

        return new LowRankFactors(Rank, Inputs, Outputs, a, model.Read(B));
    }

    /// <inheritdoc/>
    public override AdapterSchedule? Schedule(TransformerModel model, IReadOnlyList<AdapterState> adapters, int steps, ulong seed) =>
        new L1raSchedule(model, [.. adapters.Cast<L1raAdapter>()], steps, seed);

    /// <summary>Takes the rank that its parameters have now.</summary>
    internal void TakeRank() => Rank = ActiveRank = A.Value.Rows;

    /// <summary>Starts the directions from <paramref name="first"/> on, which have values of 0: they add nothing, for B stays 0.</summary>
    internal void Grow(TransformerModel model, int first, ulong seed, int step)
    {
        for (int direction = first; direction < Rank; direction++)
        {
            var random = new SplitMix(seed, $"{RandomStream.Of(model.Tables, A)}, direction {direction} after step {step}");
            double[] row = new double[Inputs];
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = random.Normal() / FirstRank;
            }

            model.Backend.Write(A.Value.Slice(direction, 1), row);
            model.Backend.Write(C.Value.Window(0, 1, direction, 1), [1.0]);
        }
    }
}
