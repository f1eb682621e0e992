namespace ModelCompiler.Models;

/// <summary>
/// QA-LoRA on the small story model: trained adapters merge into the zero points of its Int4 weights. The down projection's 172 inputs are
/// no multiple of 32 and stay as they are. 64 inputs are two groups, all that a rank can use here. The mean of 32 inputs is smaller than each of
/// them, and a group's weights share what is added: alpha makes up for it.
/// </summary>
[FineTune<Stories260K>]
[Frozen(Storage.Int4, BlockSize = 32, Targets = Projections.Attention | Projections.Gate | Projections.Up)]
[QaLora(Rank = 2, Alpha = 32, Targets = Projections.Attention | Projections.Gate | Projections.Up)]
public partial class Stories260K_QaLora;
