using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Graph;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Operations;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Compiler.Validation;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// LaMDA: y += s · B (S (A dropout(x))), A frozen, B frozen column by column while training goes on (Azizi et al. 2024). With the residual
/// start y += s · O (A dropout(x)) besides, where O = −U_r S₀ takes the adapter's first value away.
/// </summary>
public class Lamda : AdapterExpansion
{
    public override string Attribute => "Lamda";

    public override string Method => "LaMDA";

    public override string RuntimeType => "LamdaAdapter";

    internal override IEnumerable<AdapterProblem> Check(AdapterSpec adapter, RecipeSpec recipe, IReadOnlyList<ProjectionSize> targets)
    {
        double until = FreezeUntil(adapter);
        if (!(until >= 0 && until <= 1))
        {
            yield return new AdapterProblem(ProblemIds.FreezeUntilOutOfRange, "FreezeUntil", until.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
        }

        LamdaInitialization start = Start(adapter);
        if (!Enum.IsDefined(typeof(LamdaInitialization), start))
        {
            yield return new AdapterProblem(ProblemIds.UnknownStart, "Initialization", start.ToString(), string.Join(", ", Enum.GetNames(typeof(LamdaInitialization))));
        }
        else if (start == LamdaInitialization.Random && until == 0)
        {
            yield return new AdapterProblem(ProblemIds.NeverTrains, "FreezeUntil");
        }
    }

    public override Planning.AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection) => base.Describe(adapter, projection) with
    {
        Settings = [new AdapterSetting("FreezeUntil", FreezeUntil(adapter)), new AdapterSetting("Initialization", (int)Start(adapter))],
    };

    public override ParameterInfo[] Parameters(Graph.AdapterSlot slot, Planning.AdapterSlot row, ProjectionSite projection)
    {
        Dim rank = Dim.Rank(slot.Index), inputs = new(projection.In), outputs = new(projection.Out);
        ParameterInfo Make(string letter, Dim rows, Dim columns, bool trainable, bool inParts = false) => new(
            $"{slot.Path}.Adapter.{letter}", rows, columns, WeightFormat.Compute, projection.PerLayer, trainable, ParameterKind.Matrix, slot.Index, row.FirstLayer, inParts);
        ParameterInfo[] always = [Make("A", rank, inputs, trainable: false), Make("S", rank, rank, trainable: true), Make("B", outputs, rank, trainable: true, inParts: true)];
        return row.Setting("Initialization") == (int)LamdaInitialization.SpectralResidual ? [.. always, Make("O", outputs, rank, trainable: false)] : always;
    }

    public override Value Expand(Rewrite g, Graph.AdapterSlot slot, Planning.AdapterSlot row, Value x, Value y, Value[] parameters)
    {
        string name = slot.Path.Substring(slot.Path.LastIndexOf('.') + 1);
        if (row.Dropout > 0 && g.Training)
        {
            x = g.Add(name + "Dropped", new Dropout(slot), [x]);
        }

        var scale = new ScalarRef(slot, ScalarKind.Scale);
        Value h = g.Add(name + "Lora", new Linear(), [x, parameters[0]]);
        Value q = g.Add(name + "Mixed", new Linear(), [h, parameters[1]]);
        Value sum = parameters.Length > 3 ? g.Add(y.Name, new Linear(), [h, parameters[3]], accumulator: y, scale: scale) : y;
        return g.Add(y.Name, new Linear(), [q, parameters[2]], accumulator: sum, scale: scale);
    }

    private static double FreezeUntil(AdapterSpec adapter) => adapter.Argument("FreezeUntil", 0.3);

    private static LamdaInitialization Start(AdapterSpec adapter) => (LamdaInitialization)(int)adapter.Argument("Initialization", (int)LamdaInitialization.Spectral);
}
