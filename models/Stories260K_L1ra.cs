namespace ModelCompiler.Models;

/// <summary>
/// L1RA on every linear projection of stories260K: ranks of 8 on average that move where gates stay open. Gates are quicker and their L1 term is
/// heavier than L1RA's defaults, which are for thousands of steps; moments stay, for a restart every six steps would cost what they learned.
/// </summary>
[FineTune<Stories260K>]
[L1ra(Rank = 8, Alpha = 16, GateRate = 0.05, Lambda = 0.1, OptimizerOnReassign = OptimizerOnReassign.Splice, Targets = Projections.All)]
public partial class Stories260K_L1ra;
