namespace ModelCompiler.Models;

/// <summary>
/// L1RA on every linear projection of stories260K: ranks of 8 on average that move where gates stay open. Gates are quicker and their L1 term is
/// heavier than L1RA's defaults, which are for thousands of steps.
/// </summary>
[FineTune<Stories260K>]
[L1ra(Rank = 8, Alpha = 16, GateRate = 0.1, Lambda = 0.1, Targets = Projections.All)]
public partial class Stories260K_L1ra;
