using System.Globalization;
using ModelCompiler.Adapters;
using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// LaMDA: y += s · B (S (A dropout(x))), A frozen, B frozen column by column while training goes on (Azizi et al. 2024). With the residual
/// start y += s · O (A dropout(x)) besides, where O = −U_r S₀ takes the adapter's first value away.
/// </summary>
public class Lamda : AdapterExpansion<LamdaOptions>
{
    private protected override IEnumerable<AdapterProblem> Check(AdapterSite<LamdaOptions> site)
    {
        (double until, LamdaInitialization start) = (site.Options.FreezeUntil, site.Options.Initialization);
        if (!(until >= 0 && until <= 1))
        {
            string text = until.ToString("R", CultureInfo.InvariantCulture);
            yield return new AdapterProblem(ProblemIds.FreezeUntilOutOfRange, nameof(site.Options.FreezeUntil), text);
        }

        if (!Enum.IsDefined(typeof(LamdaInitialization), start))
        {
            string known = string.Join(", ", Enum.GetNames(typeof(LamdaInitialization)));
            yield return new AdapterProblem(ProblemIds.UnknownStart, nameof(site.Options.Initialization), start.ToString(), known);
        }
        else if (start == LamdaInitialization.Random && until == 0)
        {
            yield return new AdapterProblem(ProblemIds.NeverTrains, nameof(site.Options.FreezeUntil));
        }
    }

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo[] always =
        [
            Parameter(slot, row, projection, "A", rank, inputs, trainable: false),
            Parameter(slot, row, projection, "S", rank, rank),
            Parameter(slot, row, projection, "B", outputs, rank) with { SupportsPartialUpdate = true },
        ];
        return row.Options is LamdaOptions { Initialization: LamdaInitialization.SpectralResidual }
            ? [.. always, Parameter(slot, row, projection, "O", outputs, rank, trainable: false)]
            : always;
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        Value h = g.Add(Name(slot, "Lora"), new Linear(), [Drop(g, slot, row, x), parameters[0]]);
        Value q = g.Add(Name(slot, "Mixed"), new Linear(), [h, parameters[1]]);
        Value sum = parameters.Length > 3 ? AddTo(g, slot, y, h, parameters[3]) : y;
        return AddTo(g, slot, sum, q, parameters[2]);
    }
}
