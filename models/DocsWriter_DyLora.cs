namespace ModelCompiler.Models;

/// <summary>
/// DyLoRA on every linear projection of the quickstart's model: each rank up to that of its LoRA. Nine steps of ten use all directions; the scale falls with the
/// root of the rank, to the 2 of <see cref="DocsWriter_Lora"/> at rank 32.
/// </summary>
[FineTune<DocsWriter>]
[DyLora(Rank = 32, Alpha = 11.313708f, RankStabilized = true, FullRankShare = 0.9, Targets = Projections.All)]
public partial class DocsWriter_DyLora;
