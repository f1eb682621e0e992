using ModelCompiler.Adapters;

namespace ModelCompiler.Compiler.Adapters;

/// <summary>
/// LaMDA++: LaMDA's operations at ranks that are chosen for every adapter from the base's weights before training (Azizi et al. 2024). Ranks are
/// numbers of the plan: the text is that of LaMDA.
/// </summary>
public sealed class LamdaPlusPlus : Lamda
{
    public override AdapterOptions Defaults => new LamdaPlusPlusOptions();

    public override string RuntimeType => "LamdaAdapter";
}
