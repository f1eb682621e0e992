namespace ModelCompiler.Models;

/// <summary>QLoRA on the small story model.</summary>
[FineTune<Stories260K>]
[Frozen(Storage.NF4, BlockSize = 64, DoubleQuantized = true)]
[Lora(Rank = 8, Alpha = 16, Targets = Projections.All)]
public partial class Stories260K_QLora;
