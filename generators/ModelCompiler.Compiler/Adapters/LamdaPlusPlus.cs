using ModelCompiler.Compiler.Description;
using ModelCompiler.Compiler.Lowering;
using ModelCompiler.Compiler.Passes;
using ModelCompiler.Planning;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// LaMDA++: LaMDA's operations at ranks that are chosen for every adapter from the base's weights before training (Azizi et al. 2024). Ranks are
/// numbers of the plan: the text is that of LaMDA.
/// </summary>
public sealed class LamdaPlusPlus : Lamda
{
    public override string Attribute => "LamdaPlusPlus";

    public override string Method => "LaMDA++";

    public override AdapterSlot Describe(AdapterSpec adapter, ProjectionSite projection) => base.Describe(adapter, projection) with { AdaptiveRanks = true };
}
