namespace ModelCompiler.Models;

/// <summary>DyLoRA on every linear projection of <see cref="Stories260K"/>: one run, adapters of every rank from 1 to 8.</summary>
[FineTune<Stories260K>]
[DyLora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_DyLora;
