namespace ModelCompiler.Models;

/// <summary>
/// QA-LoRA on the small story model: trained adapters merge into the zero points of its Int4 weights. The down projection's 172 inputs are
/// no multiple of 32 and stay as they are. 64 inputs are two groups, all that a rank can use here.
/// </summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention | Projections.Gate | Projections.Up)]
[QaLora(Rank = 2, Alpha = 4, Targets = Projections.Attention | Projections.Gate | Projections.Up)]
public partial class Stories260K_QaLora;
