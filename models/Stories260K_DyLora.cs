namespace ModelCompiler.Models;

/// <summary>
/// DyLoRA on every linear projection of <see cref="Stories260K"/>: one run, adapters of every rank from 1 to 8. Nine steps of ten use all directions, which keeps
/// rank 8 near LoRA's; the scale falls with the root of the rank, from 5.7 at rank 1 to the 2 of <see cref="Stories260K_Lora"/> at rank 8.
/// </summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 5.656854f, RankStabilized = true, FullRankShare = 0.9, Targets = Projections.All)]
public partial class Stories260K_DyLora;
