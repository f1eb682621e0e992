namespace ModelCompiler.Models;

/// <summary>L1RA on every linear projection of stories260K: ranks of 8 on average that move where gates stay open.</summary>
[FineTune<Stories260K>]
[L1ra(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_L1ra;
